"""How a training went."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

NOT_FINITE = "not finite"  # why a training ended


@dataclass(frozen=True)
class TrainingRecord:
    """Values are scalarised losses, means over preferences; smaller is better.

    Attributes:
        values: Of every step, on the preferences that it drew, before it moved.
        validations: (steps taken, value on the validation lattice); the first is that of the start.
        stopped: Why it ended: ``steps``, ``no improvement`` or ``not finite``; empty before.
    """

    values: tuple[float, ...] = ()
    validations: tuple[tuple[int, float], ...] = ()
    stopped: str = ""

    @property
    def best(self) -> tuple[int, float]:
        """The validation with the least value, the first of equals; before any, no steps and infinity."""
        return min(self.validations, key=lambda each: each[1], default=(0, math.inf))

    def validated(self, step: int) -> bool:
        """Whether the state after `step` steps has been validated."""
        return bool(self.validations) and self.validations[-1][0] == step

    def decided(self, steps: int, patience: int, improvement: float) -> TrainingRecord:
        """The record with the reason to stop after the last validation, if there is one."""
        step, value = self.validations[-1]
        if not math.isfinite(value):
            return replace(self, stopped=NOT_FINITE)
        if step >= steps:
            return replace(self, stopped="steps")
        return replace(self, stopped="no improvement") if self._waited(improvement) >= patience else self

    def _waited(self, improvement: float) -> int:
        """Validations since the value last fell by `improvement` below all before that counted."""
        waited, least = 0, math.inf
        for _, value in self.validations:
            waited, least = (0, value) if value < least - improvement else (waited + 1, least)
        return waited

    def to_json(self) -> dict[str, Any]:
        """As a JSON value; `from_json` reads it back. What is not finite becomes None."""
        return {
            "values": [_number(value) for value in self.values],
            "validations": [[step, _number(value)] for step, value in self.validations],
            "stopped": self.stopped,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> TrainingRecord:
        """Read what `to_json` wrote."""
        values = tuple(math.nan if each is None else float(each) for each in value["values"])
        validations = ((int(step), math.nan if each is None else float(each)) for step, each in value["validations"])
        return cls(values, tuple(validations), str(value["stopped"]))


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
