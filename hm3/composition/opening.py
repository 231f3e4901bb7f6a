"""Everything that a run needs, opened; whatever is wrong with its settings is said before the long work begins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from omegaconf import DictConfig

from hm3.checks import path, writable_folder
from hm3.composition.bench import open_bench, open_tracker
from hm3.composition.parts import Parts, check
from hm3.composition.plans import with_merges
from hm3.composition.run import Composition
from hm3.composition.start import Start
from hm3.progress import ConsoleProgress, Stage
from hm3.recipe import Recipe
from hm3.runs import RunFolder
from hm3.session import Session
from hm3.workbench import Workbench


@contextmanager
def composed(
    config: DictConfig,
    start: Start,
    weights: Mapping[str, float] | None,
    stages: Sequence[Stage],
    *,
    merged_in: RunFolder | None = None,
) -> Iterator[Composition]:
    """Open everything that a configuration names; `Composition.merge` brings the merged sources.

    Args:
        config: As composed from ``conf/train.yaml``.
        start: Where the run begins or goes on.
        weights: The user's preference as stated, or None for equal weights.
        stages: What the run's progress will tell after the parameter level.
        merged_in: The folder of the run whose merges are used; None for this run's own.
    """
    check(config)
    parts = Parts.of(config, weights)
    writable_folder("merges", path("merges", config.merges))
    checkpoints, training = list(parts.sources.checkpoints.values()), parts.level.reads_texts
    with open_bench(config, checkpoints, parts.objectives, parts.seam, training=training) as bench:
        planned = with_merges(stages, len(parts.rivals))
        first = parts.level.plan(parts.given)
        if merged_in is None and first.total:
            planned = [first, *planned]
        with ConsoleProgress(planned) as progress:
            session = _session(config, start, bench, parts, progress)
            try:
                space = replace(parts.space, seam=bench.seams.name)
                yield Composition(session, parts, space, start.folder, config, merged_in or start.folder)
            finally:
                session.tracker.finish()


def _session(config: DictConfig, start: Start, bench: Workbench, parts: Parts, progress: ConsoleProgress) -> Session:
    tracker = open_tracker(config, start)
    given = tuple(Recipe.identity(each.source, each.depth) for each in parts.sources.checkpoints.values())
    return Session(bench, given, parts.preference, parts.utility, progress, tracker, config.seed)
