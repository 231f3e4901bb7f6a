"""Command lines for people to copy: quoted for Hydra, then for the shell."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

_UNQUOTED = re.compile(r"[\w/.\-+@%?|]+", re.ASCII)  # of what Hydra takes as it stands, what no value needs more


def export_command(run: Path, digest: str) -> str:
    """The command that writes a candidate of a run as a checkpoint."""
    settings = {"run": str(run), "candidate": digest[:12], "out": f"models/{digest[:12]}"}
    return "python -m hm3.export " + " ".join(shlex.quote(f"{key}={_hydra(value)}") for key, value in settings.items())


def _hydra(value: str) -> str:
    """A value as Hydra's grammar wants it: in quotes unless it is plain, its own quotes and backslashes escaped."""
    if _UNQUOTED.fullmatch(value):
        return value
    escaped = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), value)
    return f"'{escaped.replace('${', chr(92) + '${')}'"
