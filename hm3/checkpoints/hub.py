"""Checkpoints of the Hugging Face Hub: fetched once, then found in its local cache."""

from __future__ import annotations

import re
from pathlib import Path

from hm3.errors import CheckpointError

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w.-]+)?")
WANTED = (
    "*.json", "*.jinja", "adapter_model.safetensors", "merges.txt", "model*.safetensors", "tokenizer.model",
)  # fmt: skip


def is_hub_id(text: str) -> bool:
    """Whether a text looks like ``org/name`` or ``org/name@revision``, and no folder here is called that."""
    return _ID.fullmatch(text) is not None and not Path(text).exists()


def hub_folder(name: str, text: str) -> Path:
    """The local folder of a model on the Hub: safetensors, configs and tokenizer, fetched if they aren't here.

    Args:
        name: The source, for messages.
        text: ``org/name`` or ``org/name@revision``.

    Raises:
        CheckpointError: It is unknown, or cannot be fetched and was never before.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    model, _, revision = text.partition("@")
    try:
        return Path(
            snapshot_download(model, revision=revision or None, allow_patterns=list(WANTED), ignore_patterns=["*/*"])
        )
    except LocalEntryNotFoundError as error:
        raise _refusal(name, text, "not in the local cache, and the Hub cannot be reached") from error
    except HfHubHTTPError as error:
        raise _refusal(name, text, str(error.server_message or error).strip().splitlines()[0]) from error
    except (HFValidationError, OSError) as error:
        raise _refusal(name, text, str(error).splitlines()[0]) from error


def _refusal(name: str, text: str, reason: str) -> CheckpointError:
    return CheckpointError(f"source {name}: a folder, zoo:NAME or a model of the Hub, got {text!r} ({reason})")
