"""What is believed of all stacks after those that are known: processes, fitted when they are asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agents.moves import Stack
from agents.surrogate.features import features
from agents.surrogate.kernel import Kernel
from agents.surrogate.known import KnownStacks
from agents.surrogate.process import StackProcess, fitted
from envs.space import StackSpace
from hm3.objectives import Array

REFIT = 1.15  # settings are looked at again when so many times as many stacks are known
FIRST, LATER = 150, 60  # steps then
NEWEST = 400  # stacks that decide about settings, at most; all of them decide about predictions


class Belief:
    """Gaussian processes over the known stacks.

    Args:
        space: Of the stacks.
        known: What they learn from; it may grow.
    """

    def __init__(self, space: StackSpace, known: KnownStacks) -> None:
        self._space, self._known = space, known
        self._process: StackProcess | None = None
        self._kernel: Kernel | None = None
        self._learnt, self._fitted = 0, 0

    def __call__(self, stacks: Sequence[Stack]) -> tuple[Array, Array]:
        """What M stacks are expected to score, normalised, and how far off that may be: (M, K) both."""
        return self._current().predict(features(self._space, stacks))

    def to_json(self) -> dict[str, Any]:
        """What cannot be derived from the known stacks, as a JSON value."""
        return {"kernel": self._kernel and self._kernel.to_json(), "fitted": self._fitted}

    def restore(self, value: dict[str, Any]) -> None:
        """Read what `to_json` wrote."""
        self._kernel = None if value["kernel"] is None else Kernel.from_json(value["kernel"])
        self._process, self._learnt, self._fitted = None, 0, value["fitted"]

    def _current(self) -> StackProcess:
        if self._process is None or self._learnt != len(self._known):
            stacks, values = self._known.evidence
            kernel = self._fit(stacks, values)
            self._process = StackProcess.of(kernel, features(self._space, stacks), values)
            self._learnt = len(self._known)
        return self._process

    def _fit(self, stacks: Sequence[Stack], values: Array) -> Kernel:
        """The kernel, looked at again if that is due."""
        if self._kernel is None or len(stacks) >= REFIT * self._fitted:
            newest = features(self._space, stacks[-NEWEST:])
            steps = FIRST if self._kernel is None else LATER
            begun = self._kernel or Kernel.start(values.shape[1], *newest.uses.shape[1:])
            self._kernel = fitted(begun, newest, values[-NEWEST:], steps)
            self._fitted = len(stacks)
        return self._kernel
