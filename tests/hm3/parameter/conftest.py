"""A base and three experts, opened once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from hm3.checkpoints import Checkpoint
from hm3.parameter import specify
from hm3.recipe import MergeSpec, Source
from tests.tiny import write_family

EXPERTS = ("math", "code", "prose")


@dataclass(frozen=True)
class Family:
    paths: Mapping[str, Path]
    checkpoints: Mapping[str, Checkpoint]

    def source(self, name: str) -> Source:
        return self.checkpoints[name].source

    def spec(self, method: str, weights=(0.5, 0.3, 0.2), experts=EXPERTS, base="base", **settings) -> MergeSpec:
        parents = [self.source(name) for name in experts][: len(weights)]
        base = base and self.source(base)
        return specify(method, base=base, parents=parents, weights=weights, settings=settings)


@pytest.fixture(scope="package")
def family(tmp_path_factory) -> Family:
    paths = write_family(tmp_path_factory.mktemp("family+@"), EXPERTS, depth=3)
    return Family(paths, {name: Checkpoint.open(name, path) for name, path in paths.items()})
