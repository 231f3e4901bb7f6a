"""A trained tensor in one safetensors file, with the base and the experts that it belongs to.

The file is called ``*.tensors``: some loaders take every ``*.safetensors`` beside a model for a part of the model.
"""

from __future__ import annotations

from pathlib import Path

from hm3.checkpoints import write_atomic
from hm3.checkpoints.noted import packed_with_note, unpacked_with_note
from hm3.errors import CheckpointError, ConfigurationError
from hm3.parameter.pareto.arrays import term_arrays, terms_of
from hm3.parameter.pareto.tensor import METHOD, ParetoTensor
from hm3.recipe import Source

_KIND = "hm3 pareto_merging 1"


def save_tensor(tensor: ParetoTensor, file: Path) -> Path:
    """Write a tensor, over what was there; whole or absent at any moment, and equal tensors make equal files.

    Returns:
        `file`.

    Raises:
        OutputError: It cannot be written.
    """
    return write_atomic(file, packed_tensor(tensor))


def packed_tensor(tensor: ParetoTensor) -> bytes:
    """The content of the file."""
    note = {
        "kind": _KIND,
        "digest": tensor.digest,
        "base": tensor.base.to_json(),
        "experts": [expert.to_json() for expert in tensor.experts],
    }
    return packed_with_note(term_arrays(tensor.terms), note)


def load_tensor(file: Path, digest: str | None = None) -> ParetoTensor:
    """Read what `save_tensor` wrote. That a base is the tensor's own is `check_fits`' to see.

    Args:
        file: The file.
        digest: The tensor that it must be; None for whichever it is.

    Raises:
        CheckpointError: It is missing, damaged, no tensor, or another one.
    """
    arrays, note = unpacked_with_note(file)
    try:
        if note["kind"] != _KIND:
            raise ValueError(f"{note['kind']!r:.40}")
        experts = tuple(Source.from_json(expert) for expert in note["experts"])
        tensor = ParetoTensor(terms_of(arrays), Source.from_json(note["base"]), experts)
        stated = str(note["digest"])
    except (KeyError, TypeError, ValueError, AttributeError, ConfigurationError) as error:
        raise CheckpointError(f"{file}: a tensor of {METHOD}, got {error!s:.80}") from error
    wanted = digest or stated
    if tensor.digest != wanted:
        raise CheckpointError(f"{file}: the tensor of digest {wanted[:12]}, got {tensor.digest[:12]}")
    return tensor
