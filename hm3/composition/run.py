"""A run, composed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from envs.preferences import PreferenceSampler
from envs.space import StackSpace
from hm3 import closing
from hm3.checkpoints import Checkpoint
from hm3.checks import writable_folder
from hm3.composition.bench import open_bench, open_tracker
from hm3.composition.merges import merged_checkpoint
from hm3.composition.parts import Parts, check
from hm3.composition.plans import with_merges
from hm3.composition.searcher import agent_builder, built
from hm3.composition.trained_on import check_pool, write_pool
from hm3.objectives import Normaliser
from hm3.offline import AskTell, Judged
from hm3.parameter import MergeCache
from hm3.progress import ConsoleProgress, Stage
from hm3.recipe import MergeSpec, Recipe
from hm3.rivals import Rival
from hm3.runs import FrontFile, RunFolder
from hm3.session import Session
from hm3.workbench import Workbench


@dataclass(frozen=True)
class Composition:
    """A session with what only commands need.

    Attributes:
        session: The run at work.
        space: The stacks that may be written.
        rivals: The merges to compare with.
        folder: The run folder.
        merges: Where merged sources are kept.
    """

    session: Session
    space: StackSpace
    rivals: Sequence[MergeSpec]
    folder: RunFolder
    merges: MergeCache

    def conclude(self, found: Judged, rivals: Sequence[Rival], *, most: int, export: bool) -> FrontFile:
        """Judge the front on the test split, write the result, export the chosen model."""
        front = closing.conclude(self.session, found, rivals, self.folder, most=most)
        if export:
            member = front.chosen_member
            closing.export(front, member, self._checkpoints(member.recipe), self.folder)
        return front

    def _checkpoints(self, recipe: Recipe) -> dict[str, Checkpoint]:
        """The checkpoints of a recipe's sources; rivals are built once more."""
        known = self.session.bench.checkpoints
        return {
            source.name: known.get(source.name) or merged_checkpoint(source, self.merges, known)
            for source in recipe.sources
        }

    def write_pool(self) -> None:
        """Write ``pool.json``: what the policy was trained on, so that nobody asks it about anything else."""
        write_pool(self.space, self.folder)

    def check_pool(self, run: RunFolder) -> None:
        """See that a run's policy was trained on this space.

        Raises:
            ConfigurationError: Sources or rules have changed since.
        """
        check_pool(self.space, run)

    def searcher(self, agent: DictConfig, sampler: PreferenceSampler, rollouts: int, normaliser: Normaliser) -> Any:
        """The searcher that a configuration names, given of this run what its constructor asks for."""
        return built(agent_builder(agent), self._offered(sampler, normaliser) | {"rollouts": rollouts})

    def refiner(self, sampler: PreferenceSampler, normaliser: Normaliser) -> AskTell:
        """Local search, for what the policy's proposals leave undone."""
        from agents import LocalSearch  # commands that search nothing do without its libraries

        return LocalSearch(**self._offered(sampler, normaliser))

    def _offered(self, sampler: PreferenceSampler, normaliser: Normaliser) -> dict[str, Any]:
        return {
            "space": self.space,
            "normaliser": normaliser,
            "utility": self.session.utility,
            "sampler": sampler,
            "seed": self.session.seed,
        }


@contextmanager
def composed(
    config: DictConfig, folder: RunFolder, weights: Mapping[str, float] | None, stages: Sequence[Stage]
) -> Iterator[Composition]:
    """Open everything that a configuration names; whatever is wrong with it is said before the long work begins.

    Args:
        config: As composed from ``conf/train.yaml``.
        folder: The run folder.
        weights: The user's preference as stated, or None for equal weights.
        stages: What the run's progress will tell.
    """
    check(config)
    parts = Parts.of(config, weights)
    merges = MergeCache(writable_folder("merges", Path(str(config.merges)).expanduser()))
    with open_bench(config, list(parts.sources.checkpoints.values()), parts.objectives) as bench:
        for source in parts.merged:
            bench.add(merged_checkpoint(source, merges, parts.sources.checkpoints))
        with ConsoleProgress(with_merges(stages, len(parts.rivals))) as progress:
            session = _session(config, folder, bench, parts, progress)
            try:
                yield Composition(session, parts.space, parts.rivals, folder, merges)
            finally:
                session.tracker.finish()


def _session(
    config: DictConfig, folder: RunFolder, bench: Workbench, parts: Parts, progress: ConsoleProgress
) -> Session:
    tracker = open_tracker(config, folder)
    identities = tuple(parts.space.pool.identities())
    return Session(bench, identities, parts.preference, parts.utility, progress, tracker, config.seed)
