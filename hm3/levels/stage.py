"""The parameter level at work: what it is given, and what it gives to the rest of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from hm3.checkpoints import Checkpoint
from hm3.errors import ConfigurationError
from hm3.objectives import Candidate
from hm3.parameter import Expert, MergeCache
from hm3.parameter.pareto import ParetoTensor
from hm3.progress import Stage
from hm3.recipe import Source
from hm3.session import Session

STAGE = "parameter"  # as progress calls it


@dataclass(frozen=True)
class Given:
    """The models that merges are made of.

    Attributes:
        base: What merges take differences to.
        experts: The fine-tuned models that take part in merges, and what they are for.
        objectives: The objectives that tasks score, in the run's order.
        checkpoints: Name -> checkpoint of all of them.
        merges: Where merged models are kept.
    """

    base: Source
    experts: tuple[Expert, ...]
    objectives: tuple[str, ...]
    checkpoints: Mapping[str, Checkpoint]
    merges: MergeCache

    @property
    def depth(self) -> int:
        """Number of layers of the base, and so of every merge."""
        return self.checkpoints[self.base.name].depth

    def check_free(self, names: Iterable[str]) -> None:
        """See that no given model has a name that a merge will have.

        Raises:
            ConfigurationError: One has.
        """
        if taken := sorted({*names} & {*self.checkpoints}):
            raise ConfigurationError(f"sources.experts: names that no merge will have, got {taken[0]}")

    def checkpoint_of(self, source: Source) -> Checkpoint:
        """A source's checkpoint; a merge is built if it is not kept.

        Raises:
            CheckpointError: What it is made of cannot be used.
            OutputError: It cannot be written.
        """
        return self.checkpoints[source.name] if source.merge is None else self.merges.open(source, self.checkpoints)


@dataclass(frozen=True)
class Merged:
    """What the parameter level gives.

    Attributes:
        sources: The merged sources whose layers may be stacked.
        judged: Merges that were judged on the search split on the way; on a front they count like any stack.
        tensor: What gives a merged source to every preference, where the level trains one.
    """

    sources: tuple[Source, ...] = ()
    judged: tuple[Candidate, ...] = ()
    tensor: ParetoTensor | None = None


@runtime_checkable
class Level(Protocol):
    """A parameter level that may search or train. A run that was killed goes on where it was."""

    @property
    def conditioned(self) -> bool:
        """Whether it gives a source to every preference; seams are fitted for sources that stay what they are."""
        ...

    @property
    def reads_texts(self) -> bool:
        """Whether it is trained on texts: items that judge are then none of those."""
        ...

    def known(self, given: Given) -> tuple[Source, ...]:
        """The merged sources that are known before any work.

        Raises:
            ConfigurationError: The level cannot work with these models.
            CheckpointError: They cannot be merged.
        """
        ...

    def plan(self, given: Given) -> Stage:
        """What its progress tells: the stage ``parameter``."""
        ...

    def __call__(self, session: Session, given: Given, folder: Path) -> Merged:
        """Do the work.

        Args:
            session: Judges, tells its progress (stage ``parameter``), and has the seed.
            given: What merges are made of.
            folder: Where it keeps what it needs to go on after a kill.
        """
        ...
