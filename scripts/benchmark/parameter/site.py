"""The built-in zoo, opened for the parameter level alone: a session whose records go nowhere."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from hydra import compose, initialize_config_dir

from hm3.composition.parts import Parts
from hm3.composition.tasks import task_folders
from hm3.levels import Given
from hm3.machine import Items, Machine
from hm3.progress import NullProgress
from hm3.recipe import Recipe
from hm3.session import Session
from hm3.tracking import NullTracker
from hm3.workbench import Workbench
from scripts.benchmark.zoo import CONF


@dataclass(frozen=True)
class Site:
    """A session on the given sources with an empty store.

    Attributes:
        session: Judges; its identities are the given sources.
        given: What merges are made of.
        folder: For what a level keeps.
    """

    session: Session
    given: Given
    folder: Path


@contextmanager
def opened(items: Items, seed: int) -> Iterator[Site]:
    """One thread in this process judges, so that trials side by side leave each other alone."""
    torch.set_num_threads(1)
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", ["parameter=none", "rivals=0"])
    parts = Parts.of(config, None)
    checkpoints = list(parts.sources.checkpoints.values())
    with tempfile.TemporaryDirectory(prefix="hm3-benchmark-") as folder:
        bench = Workbench.open(
            checkpoints,
            parts.objectives,
            include=task_folders(config.tasks),
            store=Path(folder) / "evaluations.sqlite",
            machine=Machine(device="cpu", workers=0),
            items=items,
        )
        with bench:
            identities = tuple(Recipe.identity(each.source, each.depth) for each in checkpoints)
            session = Session(bench, identities, parts.preference, parts.utility, NullProgress(), NullTracker(), seed)
            yield Site(session, parts.given, Path(folder))
