"""A LoRA adapter's folder, opened and checked: plain LoRA, or refused with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hm3.checkpoints.adapter_settings import check_settings
from hm3.checkpoints.content import file_digest, tensors_digest
from hm3.checkpoints.reading import RefusedError, read_json
from hm3.checkpoints.safetensors_header import Entry, read_header
from hm3.checkpoints.tokenizer_files import tokenizer_files
from hm3.errors import CheckpointError
from hm3.recipe import digest_of

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
INCIDENTAL = (
    "auto_mapping", "base_model_name_or_path", "inference_mode", "lora_dropout", "megatron_config", "megatron_core",
    "peft_type", "peft_version", "revision", "runtime_config", "task_type",
)  # fmt: skip
MEANT = (
    "alpha_pattern", "bias", "exclude_modules", "fan_in_fan_out", "init_lora_weights", "layers_pattern",
    "layers_to_transform", "lora_alpha", "modules_to_save", "r", "rank_pattern", "target_modules", "use_rslora",
)  # fmt: skip
IDLE = ("corda_config", "ensure_weight_tying", "eva_config", "loftq_config", "lora_ga_config", "qalora_group_size")
STARTS = (True, False, None, "gaussian", "eva", "orthogonal")  # others change the base's own weights, too


@dataclass(frozen=True, eq=False)
class Adapter:
    """A plain LoRA adapter in peft's format; nothing of it was executed.

    Attributes:
        name: The source that it is to become.
        path: Its folder.
        config: Its adapter_config.json.
        tensors: What its weight file holds, by name.
    """

    name: str
    path: Path
    config: Mapping[str, Any]
    tensors: Mapping[str, Entry]

    @classmethod
    def open(cls, name: str, path: Path) -> Adapter:
        """Open the adapter in the folder `path`; reads config and header only.

        Raises:
            CheckpointError: It is damaged, or no plain LoRA. The message is one line.
        """
        path = Path(path).expanduser()
        try:
            config = read_json(path / CONFIG)
            _check_plain(config)
            check_settings(CONFIG, config)
            if not (path / WEIGHTS).is_file():
                raise RefusedError(f"{WEIGHTS}: a file, got none (pickled adapters can run code: convert them first)")
            return cls(name, path, config, read_header(path / WEIGHTS))
        except RefusedError as refusal:
            raise CheckpointError(f"source {name} ({path}): {refusal}") from refusal
        except OSError as error:
            raise CheckpointError(f"source {name} ({path}): readable files, got {error.strerror}") from error

    @property
    def base(self) -> str:
        """The model that it was trained on, as its config calls it; empty where it doesn't say."""
        return str(self.config.get("base_model_name_or_path") or "")

    @property
    def tokenizer_files(self) -> tuple[Path, ...]:
        """The tokenizer that was saved with it, if one was."""
        return tokenizer_files(self.path)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what it does to a base: settings, weights and tokenizer, not names or paths."""
        settings = {key: self.config.get(key) for key in MEANT}
        tokenizer = {file.name: file_digest(file) for file in self.tokenizer_files}
        return digest_of([settings, tensors_digest({self.path / WEIGHTS: self.tensors}), tokenizer])


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter and no model of its own."""
    return (folder / CONFIG).is_file() and not (folder / "config.json").is_file()


def _check_plain(config: Mapping[str, Any]) -> None:
    """Anything that is set and isn't known to be plain LoRA may change what the adapter computes."""
    if config.get("peft_type") != "LORA":
        raise RefusedError(f"{CONFIG}: peft_type LORA, got {config.get('peft_type')!r}")
    if config.get("bias", "none") != "none":
        raise RefusedError(f"{CONFIG}: bias none, got {config['bias']!r}")
    start = config.get("init_lora_weights", True)
    if start not in STARTS:
        raise RefusedError(f"{CONFIG}: an adapter that leaves its base as it is, got init_lora_weights {start!r}")
    for key, value in sorted(config.items()):
        if value and key not in (*INCIDENTAL, *MEANT, *IDLE):
            raise RefusedError(f"{CONFIG}: plain LoRA, got {key}={str(value)[:80]}")
