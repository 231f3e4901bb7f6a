"""``parameter.json``: what the parameter level gave, for whoever goes on or begins a new search from the same run."""

from __future__ import annotations

from hm3.checkpoints import write_atomic
from hm3.levels.stage import Merged
from hm3.objectives import Candidate
from hm3.parameter import pareto
from hm3.recipe import Source
from hm3.runs import RunFolder
from hm3.sealed import sealed, unsealed


def write_merged(merged: Merged, run: RunFolder) -> None:
    """Write it into a run folder; whole or absent at any moment."""
    if merged.tensor is not None:
        pareto.save_tensor(merged.tensor, run.tensor)
    content = {
        "sources": [source.to_json() for source in merged.sources],
        "judged": [candidate.to_json() for candidate in merged.judged],
        "tensor": merged.tensor and merged.tensor.digest,
    }
    write_atomic(run.parameter, sealed(content))


def read_merged(run: RunFolder) -> Merged | None:
    """Read it; None where the level has not come to its end, or has had nothing to do.

    Raises:
        ConfigurationError: A file is damaged or missing.
        CheckpointError: The tensor is damaged, or another.
    """
    if not run.parameter.is_file():
        return None
    content = unsealed(run.parameter)
    sources, judged, digest = content["sources"], content["judged"], content["tensor"]
    return Merged(
        tuple(Source.from_json(source) for source in sources),
        tuple(Candidate.from_json(candidate) for candidate in judged),
        pareto.load_tensor(run.tensor, digest) if digest else None,
    )
