"""What was logged along a run, as curves over the evaluations so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]
Curve = dict[str, Any]

GROUPS = ("hypervolume", "search", "agent")


def curves(records: Sequence[Record]) -> dict[str, list[Curve]]:
    """Group -> its curves ``{"name", "x", "y"}``, in the order in which they first come.

    Hypervolumes stand together; what the searcher tells of itself (``agent/...``) is a group of its own. Values that
    are null (NaN when they were logged) stay null: the curve has a gap there.
    """
    found: dict[str, list[Curve]] = {group: [] for group in GROUPS}
    for name in dict.fromkeys(key for record in records for key in _numbers(record)):
        points = [(record["step"], record[name]) for record in records if name in _numbers(record)]
        found[_group(name)].append({"name": name, "x": [x for x, _ in points], "y": [y for _, y in points]})
    return found


def _numbers(record: Record) -> dict[str, float | None]:
    """A record's curves: its numbers, if it belongs to a step at all."""
    if not isinstance(record.get("step"), int | float):
        return {}
    return {key: value for key, value in record.items() if key != "step" and _plottable(value)}


def _plottable(value: object) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _group(name: str) -> str:
    if "hypervolume" in name:
        return "hypervolume"
    return "agent" if name.startswith("agent/") else "search"
