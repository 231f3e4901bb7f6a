"""What a search over merge settings has asked for and heard, so that it goes on after a kill where it was."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agents.merge_settings import Told
from hm3.checkpoints import write_atomic
from hm3.objectives import Array, Candidate
from hm3.sealed import sealed, unsealed


class Journal:
    """Points that were asked for, and for the first of them what they gave.

    Args:
        file: Where it is kept; it is read if it is there.
        dimensions: Of a point, D.
        objectives: Values that a point gives, M.
    """

    def __init__(self, file: Path, dimensions: int, objectives: int) -> None:
        self._file, self._dimensions, self._objectives = file, dimensions, objectives
        kept = unsealed(file) if file.is_file() else {"asked": [], "values": [], "judged": []}
        self._asked: list[list[float]] = kept["asked"]
        self._values: list[list[float | None]] = kept["values"]
        self.judged = [Candidate.from_json(each) for each in kept["judged"]]

    def __len__(self) -> int:
        return len(self._values)

    @property
    def open(self) -> Array:
        """(n, D) points that were asked for and have no answer."""
        return self._points(self._asked[len(self) :])

    @property
    def told(self) -> Told:
        """All that has an answer; NaN where a model gave none."""
        values = [[math.nan if value is None else value for value in row] for row in self._values]
        return Told(
            self._points(self._asked[: len(self)]), np.array(values, dtype=float).reshape(len(values), self._objectives)
        )

    def ask(self, points: Array) -> None:
        """Take note of points that are to be judged next."""
        self._asked += points.tolist()
        self._write()

    def tell(self, candidate: Candidate, values: Sequence[float]) -> None:
        """Take note of what the first open point gave."""
        self.judged.append(candidate)
        self._values.append([value if math.isfinite(value) else None for value in values])
        self._write()

    def _points(self, rows: Sequence[Sequence[float]]) -> Array:
        return np.array(rows, dtype=float).reshape(len(rows), self._dimensions)

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        judged = [candidate.to_json() for candidate in self.judged]
        write_atomic(self._file, sealed({"asked": self._asked, "values": self._values, "judged": judged}))
