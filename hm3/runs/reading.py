"""Reading ``front.json``: the first thing that is wrong becomes one line that says where."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hm3.errors import ConfigurationError
from hm3.evidence import Interval
from hm3.objectives import Normaliser, Objective, Preference
from hm3.recipe import MergeSpec, Recipe
from hm3.runs.front import FORMAT, FrontFile, Member, Model, SplitScores

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value that knows where it stands, so that every complaint can say so."""

    value: Any
    where: str

    def __getitem__(self, key: str) -> Node:
        if key not in self.a(dict):
            raise ConfigurationError(f"{self.where}: needs the key {key!r}, got {', '.join(self.value) or 'no keys'}")
        return Node(self.value[key], f"{self.where}: {key}" if self.where.endswith(".json") else f"{self.where}.{key}")

    def get(self, key: str, default: Any) -> Node:
        """The value of a key that may be missing."""
        return self[key] if key in self.a(dict) else Node(default, self.where)

    def a(self, kind: type[T]) -> T:
        """The value, which must be of one kind."""
        if not isinstance(self.value, kind) or (isinstance(self.value, bool) and kind is not bool):
            raise ConfigurationError(f"{self.where}: must be of type {kind.__name__}, got {str(self.value)[:60]!r}")
        return self.value

    def number(self) -> float:
        """A finite number."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ConfigurationError(f"{self.where}: must be a finite number, got {str(value)[:60]!r}")
        return float(value)

    def numbers(self) -> dict[str, float]:
        """A mapping of names to finite numbers."""
        return {key: self[key].number() for key in self.a(dict)}

    def for_each(self, names: Sequence[str]) -> dict[str, float]:
        """One finite number for each of the names, and no others."""
        if sorted(self.a(dict)) != sorted(names):
            raise ConfigurationError(
                f"{self.where}: one value each for {', '.join(names)}, got {', '.join(self.value)}"
            )
        return {name: self[name].number() for name in names}

    def each(self, read: Callable[[Node], T]) -> tuple[T, ...]:
        """Every item of a list, read."""
        items: list[Any] = self.a(list)
        return tuple(read(Node(item, f"{self.where}[{i}]")) for i, item in enumerate(items))

    def through(self, read: Callable[[Any], T]) -> T:
        """The value as `read` makes it; what it cannot make something of is reported from here."""
        try:
            return read(self.value)
        except (KeyError, TypeError, ValueError, AttributeError, ConfigurationError) as error:
            raise ConfigurationError(f"{self.where}: cannot be read, {error!r}") from error


def front_from_json(value: Any, where: str = "front.json") -> FrontFile:
    """Read what `FrontFile.to_json` wrote.

    Args:
        value: The parsed JSON.
        where: The file's name, for complaints.

    Raises:
        ConfigurationError: Something is missing, of another type, or does not fit the rest.
    """
    root = Node(value, where)
    if root["format"].value != FORMAT:
        raise ConfigurationError(f"{where}: format: this version reads {FORMAT}, got {root['format'].value!r}")
    front = _front(root)
    if front.chosen not in {member.recipe.digest for member in front.candidates}:
        raise ConfigurationError(f"{where}: chosen: the digest of a candidate, got {front.chosen[:12]!r}")
    return front


def _front(root: Node) -> FrontFile:
    objectives = root["objectives"].each(_objective)
    names = [objective.name for objective in objectives]
    return FrontFile(
        objectives=objectives,
        normaliser=_normaliser(root["normalisation"], names),
        utility=root["utility"]["name"].a(str),
        utility_parameters=root["utility"]["parameters"].numbers(),
        preference=Preference(tuple(names), tuple(root["preference"].for_each(names).values())),
        hypervolume=None if root["hypervolume"].value is None else root["hypervolume"].number(),
        hypervolume_search=root["hypervolume_search"].number(),
        hypervolume_ratio=None if root["hypervolume_ratio"].value is None else _interval(root["hypervolume_ratio"]),
        evaluations=root["evaluations"].a(int),
        seed=root["seed"].a(int),
        sources=root["sources"].each(lambda node: _model(node, names)),
        rivals=root["rivals"].each(lambda node: _model(node, names)),
        candidates=root["candidates"].each(lambda node: _member(node, names)),
        chosen=root["chosen"].a(str),
        versions={key: root["versions"][key].a(str) for key in root["versions"].a(dict)},
    )


def _interval(node: Node) -> Interval:
    return Interval(node["value"].number(), node["low"].number(), node["high"].number())


def _objective(node: Node) -> Objective:
    return Objective(node["name"].a(str), node["task"].a(str), node["metric"].a(str), node["floor"].number())


def _normaliser(node: Node, names: Sequence[str]) -> Normaliser:
    floors, bests = node["floors"].for_each(names), node["bests"].for_each(names)
    return Normaliser(tuple(names), tuple(floors.values()), tuple(bests.values()))


def _scores(node: Node, names: Sequence[str]) -> SplitScores:
    test = node["test"]
    return SplitScores(node["search"].for_each(names), None if test.value is None else test.for_each(names))


def _model(node: Node, names: Sequence[str]) -> Model:
    return Model(
        name=node["name"].a(str),
        depth=node["depth"].a(int),
        scores=_scores(node["scores"], names),
        metrics=node.get("metrics", {}).numbers(),
        merge=node["merge"].through(MergeSpec.from_json) if "merge" in node.value else None,
    )


def _member(node: Node, names: Sequence[str]) -> Member:
    recipe = node["recipe"].through(Recipe.from_json)
    if node["digest"].value != recipe.digest or node["depth"].value != recipe.depth:
        raise ConfigurationError(f"{node.where}: digest and depth must be the recipe's, got {node['digest'].value!r}")
    return Member(recipe, _scores(node["scores"], names), node.get("metrics", {}).numbers())
