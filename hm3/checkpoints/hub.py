"""Checkpoints of the Hugging Face Hub: fetched once, then found in its local cache."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from hm3.errors import CheckpointError
from hm3.recipe.files import BESIDE, RECIPE

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@\w[\w.-]*(/\w[\w.-]*)*)?")
_COMMIT = re.compile(r"[0-9a-f]{40}")
WANTED = (
    "*.json", "*.jinja", "adapter_model.safetensors", "merges.txt", "model*.safetensors", "tokenizer.model",
)  # fmt: skip
NOTES = ("README.md", "LICENSE*")  # for the licence; the model works without


def is_hub_id(text: str) -> bool:
    """Whether a text looks like ``org/name`` or ``org/name@revision``, and no folder here is called that."""
    return _ID.fullmatch(text) is not None and not Path(text).exists()


def hub_folder(name: str, text: str) -> Path:
    """The local folder of a model on the Hub: safetensors, configs and tokenizer, fetched if they aren't here.

    The folder is called by the commit that the revision names, and holds files of that commit only.

    Args:
        name: The source, for messages.
        text: ``org/name`` or ``org/name@revision``: a branch, a tag or a commit.

    Raises:
        CheckpointError: It is unknown, or cannot be fetched and was never before.
        ConfigurationError: The token cannot be one.
    """
    return _pinned(f"source {name}: a folder, zoo:NAME or a model of the Hub, got {text!r}", text, WANTED, NOTES)


def hub_recipe(text: str) -> Path:
    """The local file of the recipe of a stack on the Hub; beside it lies all that belongs to it, but no weights.

    Args:
        text: As for `hub_folder`.

    Raises:
        CheckpointError: It is unknown, or has no recipe, or cannot be fetched and was never before.
        ConfigurationError: The token cannot be one.
    """
    what = f"recipe: a file, a folder or a model of the Hub, got {text!r}"
    file = _pinned(what, text, BESIDE) / RECIPE
    if not file.is_file():
        raise CheckpointError(f"{what} (a model without {RECIPE})")
    return file


def _pinned(what: str, text: str, wanted: Sequence[str], notes: Sequence[str] = ()) -> Path:
    """The folder of one commit, with the files of these patterns."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    from hm3.checkpoints.hub_errors import hub_failures, why

    model, _, revision = text.partition("@")
    with hub_failures(what, CheckpointError):
        try:
            folder = _fetched(model, revision or None, wanted, notes)
        except LocalEntryNotFoundError as error:
            raise CheckpointError(f"{what} (not in the local cache, and {why(error)})") from None
    if _COMMIT.fullmatch(folder.name) is None:
        raise CheckpointError(f"{what} (a commit of 40 hexadecimal digits, got {folder.name[:60]!r})")
    return folder


def _fetched(model: str, revision: str | None, wanted: Sequence[str], notes: Sequence[str]) -> Path:
    """The snapshot's folder; without a network the notes may be missing, as another program may have left them out."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import IncompleteSnapshotError

    def fetched(patterns: Sequence[str], *, offline: bool) -> Path:
        folder = snapshot_download(
            model,
            revision=revision,
            local_files_only=offline,
            allow_patterns=list(patterns),
            ignore_patterns=["*/*"],
        )
        return Path(folder)

    try:
        return fetched((*wanted, *notes), offline=False)
    except IncompleteSnapshotError:
        return fetched(wanted, offline=True)
