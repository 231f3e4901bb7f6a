"""Whether stock transformers would load a checkpoint whole, found out before a byte of its weights is read.

transformers itself loads the model from tensors that have names, types and shapes but no content, so every rule about
names, ties, old spellings and fused experts is its own.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch

from hm3.checkpoints.checkpoint import Checkpoint
from hm3.checkpoints.dtypes import TORCH_DTYPES
from hm3.checkpoints.meaning import full_config
from hm3.checkpoints.reading import one_line
from hm3.checkpoints.safetensors_header import Entry
from hm3.checkpoints.weights import DTYPES
from hm3.errors import CheckpointError


def check_loading(checkpoint: Checkpoint) -> None:
    """See that the source has all parameters of its model, in their shapes, and no others.

    Costs a few milliseconds a layer and no memory, whatever the sizes.

    Raises:
        CheckpointError: A parameter is missing, unexpected, or of another shape or type than a weight's.
    """
    where = f"source {checkpoint.name} ({checkpoint.path})"
    config = deepcopy(full_config(checkpoint))  # models write into theirs
    try:
        with _quietly():
            complaint = next(_complaints(checkpoint, config), None)
    except Exception as error:  # whatever a stock model stumbles over while it is built
        raise CheckpointError(f"{where}: a model that transformers can build, got {one_line(error)}") from error
    if complaint:
        raise CheckpointError(f"{where}: {complaint}")


def _complaints(checkpoint: Checkpoint, config: Any) -> Iterator[str]:
    empty = {name: _empty(entry) for name, entry in checkpoint.tensors.items()}
    model, report = _loaded(config, empty)
    for name, found, expected in sorted(report["mismatched_keys"]):
        yield f"{name} of the shape that its config implies, {list(expected)}, got {list(found)}"
    for name in sorted(report["missing_keys"]):
        yield f"every parameter of {checkpoint.model_type}, got no {name}"
    for name in sorted(report["unexpected_keys"]):
        yield f"parameters of {checkpoint.model_type} only, got {name}"
    for name, _ in model.named_parameters():
        if name in empty and checkpoint.tensors[name].dtype not in DTYPES:
            yield f"{name} of type {', '.join(DTYPES)}, got {checkpoint.tensors[name].dtype}"


def _empty(entry: Entry) -> torch.Tensor:
    return torch.empty(entry.shape, dtype=TORCH_DTYPES[entry.dtype], device="meta")


def _loaded(config: Any, tensors: Mapping[str, torch.Tensor]) -> tuple[Any, dict[str, Any]]:
    """The model without content, and transformers' report on what it took from where."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        empty: Any = AutoModelForCausalLM.from_config(config, trust_remote_code=False)  # type: ignore[no-untyped-call]
    options = {"device_map": "meta", "ignore_mismatched_sizes": True, "output_loading_info": True}
    model, report = type(empty).from_pretrained(None, config=config, state_dict=dict(tensors), **options)
    return model, report


@contextmanager
def _quietly() -> Iterator[None]:
    """No words and bars of transformers' own: ours name the source."""
    from transformers.utils import logging as theirs

    level, bar = theirs.get_verbosity(), theirs.is_progress_bar_enabled()
    theirs.set_verbosity(logging.CRITICAL)
    theirs.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        theirs.set_verbosity(level)
        if bar:
            theirs.enable_progress_bar()  # type: ignore[no-untyped-call]
