"""Whether checkpoints can give layers to one model: the same shapes, the same tokens, the same scalars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from hm3.checkpoints.checkpoint import Checkpoint
from hm3.checkpoints.content import file_digest
from hm3.checkpoints.reading import RefusedError, read_json
from hm3.errors import CheckpointError, ConfigurationError
from hm3.recipe import digest_of

SHAPES = (
    "model_type",
    "hidden_size",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "intermediate_size",
    "vocab_size",
    "hidden_act",
    "attention_bias",
    "mlp_bias",
)
SCALARS = (
    "rms_norm_eps",
    "layer_norm_eps",
    "layer_norm_epsilon",
    "sliding_window",
    "attn_logit_softcapping",
    "final_logit_softcapping",
    "query_pre_attn_scalar",
    "attention_multiplier",
    "embedding_multiplier",
    "residual_multiplier",
    "logits_scaling",
    "partial_rotary_factor",
)
VOCABULARY = ("vocab", "merges")  # what gives tokens their numbers
PASSING = ("version", "padding", "truncation")  # of the file and of batches, not of a text's tokens


def check_compatible(sources: Sequence[Checkpoint], on_mismatch: Literal["refuse", "host"] = "refuse") -> list[str]:
    """Compare every source with the first; depth may differ.

    Args:
        sources: At least one.
        on_mismatch: What to do about scalars that a config can hold once, and about tokenizers with the same
            vocabulary that differ elsewhere: refuse, or use the host's value for every layer. (Where hosts then read
            a task's texts as different tokens, or cut them at different lengths, the task is refused.)

    Returns:
        One warning for each difference that was let pass.

    Raises:
        CheckpointError: A difference that is not let pass; source, field and both values are named.
        ConfigurationError: An unknown `on_mismatch`.
    """
    if on_mismatch not in ("refuse", "host"):
        raise ConfigurationError(f"on_mismatch: refuse or host, got {on_mismatch!r}")
    first, *others = sources
    warnings: list[str] = []
    for other in others:
        for message in _hard(first, other):
            raise CheckpointError(message)
        for message in _soft(first, other):
            if on_mismatch == "refuse":
                raise CheckpointError(f"{message}; on_mismatch=host would use the host's for every layer")
            warnings.append(f"{message}; the host's is used for every layer")
    return warnings


def _hard(first: Checkpoint, other: Checkpoint) -> Iterator[str]:
    for field in SHAPES:
        yield from _difference(first, other, field, _shape(first.config, field), _shape(other.config, field))
    ours, theirs = _tokenizer(first), _tokenizer(other)
    for part in VOCABULARY:
        if ours.get(part) != theirs.get(part):
            yield _message(first, other, f"tokenizer ({part})", _brief(ours.get(part)), _brief(theirs.get(part)))


def _soft(first: Checkpoint, other: Checkpoint) -> Iterator[str]:
    yield from _difference(first, other, "rope", _rope(first.config), _rope(other.config))
    for field in SCALARS:
        yield from _difference(first, other, field, _scalar(first.config, field), _scalar(other.config, field))
    ours, theirs = _tokenizer(first), _tokenizer(other)
    for part in sorted({*ours, *theirs} - {*PASSING, *VOCABULARY}):
        if ours.get(part) != theirs.get(part):
            yield _message(first, other, f"tokenizer ({part})", _brief(ours.get(part)), _brief(theirs.get(part)))


def _difference(first: Checkpoint, other: Checkpoint, field: str, ours: Any, theirs: Any) -> Iterator[str]:
    if ours != theirs:
        yield _message(first, other, field, repr(ours), repr(theirs))


def _message(first: Checkpoint, other: Checkpoint, field: str, ours: str, theirs: str) -> str:
    return f"source {other.name}: {field} must equal that of {first.name}, {ours}, got {theirs}"


def _shape(config: Mapping[str, Any], field: str) -> Any:
    """The value that the config means: transformers derives what is missing."""
    value = config.get(field)
    if value is not None:
        return value
    if field == "num_key_value_heads":
        return config.get("num_attention_heads")
    if field == "head_dim" and config.get("num_attention_heads"):
        return int(config.get("hidden_size", 0)) // int(config["num_attention_heads"])
    return False if field.endswith("_bias") else None


def _scalar(config: Mapping[str, Any], field: str) -> Any:
    """The value that is used: Qwen states windows of many sizes that are switched off."""
    return None if field == "sliding_window" and config.get("use_sliding_window") is False else config.get(field)


def _rope(config: Mapping[str, Any]) -> dict[str, Any]:
    """Rotary settings in one form: transformers 5 keeps them together, version 4 apart."""
    together = config.get("rope_parameters") or config.get("rope_scaling") or {}
    rope = {"rope_theta": config.get("rope_theta", 10000.0), **together}
    rope["rope_type"] = rope.pop("type", None) or rope.get("rope_type", "default")
    return rope


def _tokenizer(checkpoint: Checkpoint) -> dict[str, Any]:
    """The parts of tokenizer.json that are set; without one, digests of the files that stand for it."""
    file = checkpoint.path / "tokenizer.json"
    if not file.is_file():
        vocabularies = [file for file in checkpoint.tokenizer_files if file.name in ("tokenizer.model", "vocab.json")]
        return {"vocab": {file.name: file_digest(file) for file in vocabularies}} if vocabularies else {}
    try:
        return _parts(read_json(file))
    except RefusedError as error:
        raise CheckpointError(f"source {checkpoint.name}: {error}") from error
    except (TypeError, AttributeError) as error:
        raise CheckpointError(
            f"source {checkpoint.name}: tokenizer.json as tokenizers writes it, got {error}"
        ) from error


def _parts(parts: dict[str, Any]) -> dict[str, Any]:
    model = parts.pop("model", {})
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model.pop("merges", None) or ()]
    parts |= {"vocab": model.pop("vocab", None), "merges": merges, "settings": {k: v for k, v in model.items() if v}}
    return {part: value for part, value in parts.items() if value}


def _brief(part: Any) -> str:
    """A part of a tokenizer in a few words."""
    if isinstance(part, dict | list):
        return f"{len(part)} entries with digest {digest_of(part)[:8]}"
    return repr(part)
