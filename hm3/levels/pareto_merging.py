"""Pareto Merging as a parameter level: one training, then a merged source for every episode's own preference."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hm3.checks import by_name, whole
from hm3.errors import ConfigurationError
from hm3.levels.losses import LOSSES, ON_TEXTS
from hm3.levels.stage import STAGE, Given, Merged
from hm3.parameter import check_mergeable, specify
from hm3.parameter.pareto import (
    METHOD,
    NOT_FINITE,
    Differences,
    Linear,
    ParetoTensor,
    Preferences,
    Scalarisation,
    SmoothTchebycheff,
    Training,
    TrainingRecord,
    check_trainable,
    initial_terms,
)
from hm3.parameter.specification import Settings
from hm3.progress import Stage
from hm3.recipe import Source
from hm3.session import Session

SCALARISATIONS: Mapping[str, type[Scalarisation]] = {"linear": Linear, "smooth_tchebycheff": SmoothTchebycheff}
TRAINING: Mapping[str, Any] = {
    "steps": 200,
    "batch": 2,
    "learning_rate": 0.005,
    "validate_every": 25,
    "validation": 6,
    "patience": 3,
}  # of `Training`, as chosen on the built-in zoo for losses on texts
_log = logging.getLogger(__name__)
_RESUME, _BASE = "training.tensors", "pareto_base"


@dataclass(frozen=True)
class ParetoMerging:
    """A level that trains a tensor.

    Attributes:
        losses: A row of `LOSSES`.
        rank: Of every matrix's term.
        method: Merge method of the base; a row of `hm3.parameter.METHODS`.
        weights: The experts' weights in the base; None for equal ones.
        settings: Values of the method's other settings, where its defaults are not meant.
        scalarisation: A row of `SCALARISATIONS`.
        training: Settings of `Training`, by name.
        preferences: Settings of `Preferences`, by name.
    """

    losses: str = "task"
    rank: int = 64
    method: str = "task_arithmetic"
    weights: Sequence[float] | None = None
    settings: Settings = field(default_factory=lambda: {"lambda": 1.5})
    scalarisation: str = "smooth_tchebycheff"
    training: Mapping[str, Any] = field(default_factory=lambda: dict(TRAINING))
    preferences: Mapping[str, Any] = field(default_factory=dict)
    conditioned: bool = field(default=True, init=False)

    def __post_init__(self) -> None:
        for name in ("settings", "training", "preferences"):
            by_name(f"parameter.{name}", getattr(self, name))
        for name, table in (("losses", LOSSES), ("scalarisation", SCALARISATIONS)):
            if getattr(self, name) not in table:
                raise ConfigurationError(f"parameter.{name}: one of {', '.join(table)}, got {getattr(self, name)!r}")
        whole("parameter.rank", self.rank, 1)
        self._training(0)

    @property
    def reads_texts(self) -> bool:
        """All losses but the data-free ones."""
        return self.losses in ON_TEXTS

    def known(self, given: Given) -> tuple[Source, ...]:
        """None before the training.

        Raises:
            ConfigurationError: The models cannot be merged so.
            CheckpointError: They differ in shape.
        """
        self._base(given)
        given.check_free([METHOD])
        check_mergeable([given.checkpoints[each.name] for each in (given.base, *self._experts(given))])
        if self.reads_texts:
            check_trainable(given.checkpoints[given.base.name])
        return ()

    def plan(self, given: Given) -> Stage:
        """A step costs a few stacks on the screen; the models that it gives are judged later."""
        return Stage(STAGE, self._training(0).steps, 4, stacks=0)

    def __call__(self, session: Session, given: Given, folder: Path) -> Merged:
        """Train, or go on."""
        base, experts = given.checkpoint_of(self._base(given)), self._experts(given)
        differences = Differences(base, [given.checkpoints[each.name] for each in experts])
        training = self._training(session.seed)
        session.progress.begin(STAGE, training.steps)
        trained = training(
            LOSSES[self.losses](session, given, base, differences),
            lambda: initial_terms(differences, self.rank, seed=session.seed),
            file=folder / _RESUME,
            about=" ".join([self.losses, str(self.rank), base.source.digest, *(each.digest for each in experts)]),
            progress=lambda step, value: session.progress.advance(STAGE),
        )
        _tell(trained.record)
        return Merged(tensor=ParetoTensor(trained.terms, base.source, experts))

    def _base(self, given: Given) -> Source:
        experts = self._experts(given)
        weights = [1 / len(experts) for _ in experts] if self.weights is None else self.weights
        spec = specify(self.method, base=given.base, parents=experts, weights=weights, settings=self.settings)
        return Source.merged(_BASE, spec)

    @staticmethod
    def _experts(given: Given) -> tuple[Source, ...]:
        return tuple(expert.source for expert in given.experts)

    def _training(self, seed: int) -> Training:
        scalarisation = SCALARISATIONS[self.scalarisation]()
        try:
            preferences = Preferences(**self.preferences)
            return Training(**self.training, scalarisation=scalarisation, preferences=preferences, seed=seed)
        except TypeError as error:
            rule = "settings that Training and Preferences take"
            raise ConfigurationError(f"parameter.training, parameter.preferences: {rule}, got {error}") from error


def _tell(record: TrainingRecord) -> None:
    """What people should know of a training that did not do what they hoped for."""
    best, last = record.best[0], len(record.values)
    if record.stopped == NOT_FINITE:
        advice = "a smaller parameter.training.learning_rate may help"
        _log.warning(
            "%s: training ended after step %d, no finite loss; step %d is kept; %s", METHOD, last, best, advice
        )
    elif last and not best:
        _log.warning("%s: no validation was better than the start, which is kept", METHOD)
