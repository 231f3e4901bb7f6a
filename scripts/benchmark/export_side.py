"""One export by one side in a process of its own, which says how long it took and what it held.

Started by the benchmark `export`; what it is told and what it says are JSON objects.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hm3 import zoo
from hm3.checkpoints import Checkpoint
from hm3.checkpoints.atomic import sync
from hm3.model_folder import write_model
from hm3.recipe import Recipe
from scripts.benchmark.memory import own_peak, reset_peak
from scripts.benchmark.passthrough import merge_to_disk


@dataclass(frozen=True)
class Job:
    """What is to be exported.

    Attributes:
        side: ``ours`` or ``rival``.
        sources: Name of a source -> its folder.
        recipe: The stack, as JSON.
        out: The folder to be.
        shard: Most bytes of tensors in a file.
        options: The rival's own.
    """

    side: str
    sources: Mapping[str, str]
    recipe: Mapping[str, Any]
    out: str
    shard: int
    options: Mapping[str, Any] = field(default_factory=dict)

    def command(self) -> list[str]:
        """How its process is started."""
        return [sys.executable, "-m", "scripts.benchmark.export_side", json.dumps(asdict(self))]


def main() -> None:
    """Export what the first argument says."""
    job = Job(**json.loads(sys.argv[1]))
    export = SIDES[job.side]
    _warm_up(export, job)
    reset_peak()
    baseline = own_peak()
    os.sync()  # what others left to be written is not this side's
    began = time.perf_counter()
    export(job)
    seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "baseline": baseline, "peak": own_peak()}))


def _warm_up(export: Callable[[Job], None], job: Job) -> None:
    """A small model of the zoo first: every library that the export asks for is imported then."""
    source = Checkpoint.open("base", zoo.source_path("base"))
    recipe = Recipe.identity(source.source, source.depth)
    with tempfile.TemporaryDirectory(prefix="hm3-warm-up-") as folder:
        export(
            replace(job, sources={"base": str(source.path)}, recipe=recipe.to_json(), out=str(Path(folder, "model")))
        )


def _ours(job: Job) -> None:
    write_model(Path(job.out), Recipe.from_json(job.recipe), _opened(job), "", shard_bytes=job.shard)


def _rivals(job: Job) -> None:
    options = {"copy_tokenizer": False, "out_shard_size": job.shard, **job.options}
    folder = merge_to_disk(Recipe.from_json(job.recipe), _opened(job), Path(job.out), **options)
    for path in (*folder.iterdir(), folder, folder.parent):
        sync(path)


def _opened(job: Job) -> dict[str, Checkpoint]:
    return {name: Checkpoint.open(name, Path(path)) for name, path in job.sources.items()}


SIDES: Mapping[str, Callable[[Job], None]] = {"ours": _ours, "rival": _rivals}

if __name__ == "__main__":
    main()
