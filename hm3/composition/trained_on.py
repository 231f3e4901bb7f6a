"""``pool.json``: what a policy was trained on, so that nobody asks it about anything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from envs.space import StackSpace
from hm3.checkpoints import write_atomic
from hm3.errors import ConfigurationError
from hm3.recipe import Source
from hm3.runs import RunFolder
from hm3.sealed import sealed, unsealed

FILE = "pool.json"
_EXITS = "exits"


def write_pool(space: StackSpace, exits: bool, folder: RunFolder) -> None:
    """Write ``pool.json`` beside the policy; `exits` says whether observations showed early exits."""
    write_atomic(folder.path / FILE, sealed({**_content(space), _EXITS: exits}))


def origins(run: RunFolder) -> dict[str, str | None]:
    """Name -> origin of every source that a run was given; empty where none is written down yet."""
    if not (run.path / FILE).is_file():
        return {}
    pool = [Source.from_json(source) for source in unsealed(run.path / FILE)["sources"]]
    return {given.name: given.origin for source in pool for given in source.given}


def check_pool(space: StackSpace, exits: bool, run: RunFolder) -> None:
    """See that a run's policy was trained on this space, and has seen early exits if it will see them now.

    Raises:
        ConfigurationError: Sources, rules or observations have changed since, or there is no trained policy.
    """
    check_trained(run)
    trained_on = unsealed(run.path / FILE)
    seen = trained_on.pop(_EXITS, False)
    if seen != exits:
        rule = f"{str(seen).lower()}, as when {run.path} was trained"
        raise ConfigurationError(f"env.exits: {rule}, got {str(exits).lower()}")
    if _known(trained_on) != _known(_content(space)):
        raise ConfigurationError(f"run: sources and rules as when {run.path} was trained, got others")


def check_trained(run: RunFolder) -> None:
    """See that a run has a trained policy.

    Raises:
        ConfigurationError: It has none.
    """
    if not (run.path / FILE).is_file():
        raise ConfigurationError(f"run: a folder with a trained policy, got {run.path} without {FILE}")


def _content(space: StackSpace) -> dict[str, Any]:
    content = {
        "sources": [source.to_json() for source in space.pool.sources],
        "depths": list(space.pool.depths),
        "rules": asdict(space.rules),
        **({} if space.pool.conditioned is None else {"conditioned": space.pool.conditioned.name}),
    }
    read_back: dict[str, Any] = json.loads(json.dumps(content))
    return read_back


def _known(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with sources as values: they are the same wherever they lie."""
    return {**content, "sources": [Source.from_json(source) for source in content["sources"]]}
