"""What a merge reads and writes, and says to mergekit: a row for each method that is not mergekit's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from hm3.checkpoints import Checkpoint, Computed
from hm3.errors import CheckpointError
from hm3.parameter.arithmetic import planned_tensors
from hm3.parameter.configuration import configuration_text
from hm3.parameter.pareto.kept import KeptTensors
from hm3.parameter.pareto.merging import planned_terms
from hm3.parameter.pareto.tensor import METHOD
from hm3.recipe import MergeSpec, Source

Planner = Callable[[MergeSpec, Mapping[str, Checkpoint], KeptTensors | None], list[Computed]]


def planned(spec: MergeSpec, checkpoints: Mapping[str, Checkpoint], kept: KeptTensors | None) -> list[Computed]:
    """Every tensor of a merge, sorted by name, to be made in this order.

    Args:
        spec: The merge.
        checkpoints: Name of a source -> the source.
        kept: Where what was trained is found; None where nothing is.

    Raises:
        CheckpointError: The sources don't go together, or what was trained is not there.
    """
    return _PLANNERS.get(spec.method, _by_mergekit)(spec, checkpoints, kept)


def read_sources(spec: MergeSpec) -> tuple[Source, ...]:
    """The sources that a merge reads: all, but of a trained one its base alone, to which the tensor is added."""
    return (spec.base,) if spec.method in _PLANNERS and spec.base else spec.sources


def mergekit_text(spec: MergeSpec, paths: Mapping[str, Path], *, dtype: str) -> str:
    """The file ``mergekit.yaml`` beside a merge: the line that runs it, or why there is none.

    Args:
        spec: The merge.
        paths: Name of a source -> its folder.
        dtype: Type of arithmetic and result, as torch names it.
    """
    if spec.method in _PLANNERS:
        return f"# mergekit cannot make this model: {spec.method} is trained, and no method of its own.\n"
    return configuration_text(spec, paths, dtype=dtype)


def _by_mergekit(spec: MergeSpec, checkpoints: Mapping[str, Checkpoint], _kept: KeptTensors | None) -> list[Computed]:
    return planned_tensors(spec, checkpoints, dtype=checkpoints[(spec.base or spec.parents[0]).name].dtype)


def _by_terms(spec: MergeSpec, checkpoints: Mapping[str, Checkpoint], kept: KeptTensors | None) -> list[Computed]:
    if kept is None or spec.base is None:
        raise CheckpointError(f"{METHOD}: a base and a folder in which the tensor is kept, got none")
    return planned_terms(kept.load(spec), checkpoints[spec.base.name], spec.weights)


_PLANNERS: Mapping[str, Planner] = {METHOD: _by_terms}
