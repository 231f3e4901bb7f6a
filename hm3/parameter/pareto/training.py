"""Training: gradient descent on the factors over preferences that are drawn; everything else stays as it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hm3.checks import number, whole
from hm3.parameter.pareto.descent import Descent
from hm3.parameter.pareto.factors import Factors
from hm3.parameter.pareto.objective import PreferenceLosses
from hm3.parameter.pareto.preferences import Preferences, validation_weights
from hm3.parameter.pareto.record import TrainingRecord
from hm3.parameter.pareto.resume import load_descent, save_descent
from hm3.parameter.pareto.scalarisation import Scalarisation, SmoothTchebycheff
from hm3.parameter.pareto.tensor import Term

Progress = Callable[[int, float], None]
"""Of a step's number, counted from 1, and the mean scalarised loss that its gradient was taken at."""


@dataclass(frozen=True)
class Trained:
    """What training gave.

    Attributes:
        terms: The terms with the least value on the validation lattice, those of the start included.
        record: How it went.
    """

    terms: dict[str, Term]
    record: TrainingRecord


@dataclass(frozen=True)
class Training:
    """How factors are trained.

    Attributes:
        steps: Steps of Adam at most.
        batch: Preferences in a step.
        learning_rate: About how far the first step moves a factor's entries, as a share of their root mean square, so
            that it means the same for every matrix and model; falls to 0 along a cosine.
        scalarisation: Makes one number of K losses.
        preferences: Which weights are drawn.
        validate_every: Steps from one validation to the next.
        validation: Preferences on the validation lattice, at most.
        patience: Validations without an improvement before it ends early.
        improvement: What counts as one; 1 is the loss of the base.
        save_seconds: Seconds from one resume point to the next.
        seed: Of the preferences.

    Raises:
        ConfigurationError: A value is out of range.
    """

    steps: int = 200
    batch: int = 8
    learning_rate: float = 0.05
    scalarisation: Scalarisation = field(default_factory=SmoothTchebycheff)
    preferences: Preferences = field(default_factory=Preferences)
    validate_every: int = 10
    validation: int = 21
    patience: int = 5
    improvement: float = 1e-4
    save_seconds: float = field(default=60.0, repr=False)  # no part of what is trained
    seed: int = 0

    def __post_init__(self) -> None:
        whole("pareto_merging.steps", self.steps, 0)
        for name in ("batch", "validate_every", "validation", "patience"):
            whole(f"pareto_merging.{name}", getattr(self, name), 1)
        number("pareto_merging.learning_rate", self.learning_rate, 0, above=True)
        number("pareto_merging.improvement", self.improvement, 0)
        number("pareto_merging.save_seconds", self.save_seconds, 0)
        whole("pareto_merging.seed", self.seed, 0)

    def __call__(
        self,
        objective: PreferenceLosses,
        start: Callable[[], dict[str, Term]],
        *,
        file: Path | None = None,
        about: str = "",
        progress: Progress | None = None,
    ) -> Trained:
        """Train, or go on.

        On one thread a training that was killed and resumed ends as the uninterrupted one would have, bit by bit.

        Args:
            objective: What is trained for.
            start: Makes the terms to start from; not called where there is a resume point.
            file: Where resume points are kept; None for nowhere.
            about: What is trained (digests, rank, objective): resuming something else is refused.
            progress: Told after every step.

        Raises:
            CheckpointError: The resume point is damaged.
            ConfigurationError: It is that of another training.
            OutputError: It cannot be written.
        """
        about = f"{about} {self!r}"
        descent = load_descent(file, about, objective) if file is not None and file.is_file() else None
        descent = descent or Descent.begin(Factors(start()), self.seed)
        saved = time.monotonic()
        while self._goes_on(descent, objective):
            value = self._step(descent, objective)
            if file is not None and time.monotonic() - saved >= self.save_seconds:
                save_descent(descent, file, about, objective)
                saved = time.monotonic()
            if progress is not None:
                progress(descent.step, value)
        if file is not None:
            save_descent(descent, file, about, objective)
        return Trained(descent.best, descent.record)

    def _goes_on(self, descent: Descent, objective: PreferenceLosses) -> bool:
        """Whether another step is to be taken; validates when it is time for that."""
        due = descent.step % self.validate_every == 0 or descent.step == self.steps
        if due and not descent.record.validated(descent.step):
            self._validate(descent, objective)
        return not descent.record.stopped

    def _validate(self, descent: Descent, objective: PreferenceLosses) -> None:
        weights = validation_weights(objective.experts, self.validation)
        values = self.scalarisation.value(objective.losses(descent.factors, weights), weights)
        descent.judge(float(values.mean()))
        descent.record = descent.record.decided(self.steps, self.patience, self.improvement)

    def _step(self, descent: Descent, objective: PreferenceLosses) -> float:
        weights = self.preferences.draw(objective.experts, self.batch, descent.generator)
        return descent.advance(objective, weights, self.scalarisation, self.learning_rate, self.steps)
