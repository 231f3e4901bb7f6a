"""What an offline wandb run wrote, read back from its file."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECONDS = 20  # wandb still writes when `finish` has returned


@dataclass
class WandbRecord:
    """An offline run.

    Attributes:
        config: Its configuration.
        steps: The metrics of each step.
        summary: What stands for the whole run; parts of a medium are joined with dots.
    """

    config: dict[str, Any] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)


def recorded_run(folder: Path) -> WandbRecord:
    """The one run that was recorded in a run folder, once its end is there."""
    run = WandbRecord()
    for record in _records(next(folder.glob("wandb/offline-run-*/*.wandb"))):
        run.config |= _values(record.run.config.update)
        run.summary |= _values(record.summary.update)
        if record.WhichOneof("record_type") == "history":
            run.steps.append(_values(record.history.item))
    return run


def _values(items: Any) -> dict[str, Any]:
    return {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items}


def _records(file: Path) -> list[Any]:
    from wandb.proto import wandb_internal_pb2 as messages

    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        records = [messages.Record.FromString(data) for data in _pieces(file.read_bytes())]
        if any(record.WhichOneof("record_type") == "exit" for record in records):
            return records
        time.sleep(0.02)
    raise AssertionError(f"{file}: no end of the run within {SECONDS} s")


def _pieces(data: bytes) -> Iterator[bytes]:
    """The records of a .wandb file, which is a LevelDB log: blocks of 32 KiB, pieces with a header of seven bytes."""
    place, record = 7, b""  # the file's own header is as long
    while place + 7 <= len(data):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        length, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        if place + 7 + length > len(data):
            return  # still being written
        record += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last piece of one
            yield record
            record = b""
