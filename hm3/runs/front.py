"""What ``front.json`` holds, as values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib import metadata
from typing import Any, Literal

from hm3.archive import hypervolume
from hm3.evidence import Interval
from hm3.objectives import UTILITIES, Normaliser, Objective, Preference, Scores, Utility
from hm3.recipe import MergeSpec, Recipe

FORMAT = 1
PACKAGES = ("hm3", "torch", "transformers", "lm-eval", "mergekit", "numpy")
Split = Literal["search", "test"]
Numbers = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SplitScores:
    """One model's raw scores, objective by objective, on both splits.

    Attributes:
        search: On the items that steered the search.
        test: On the items of the report; None until they were judged.
    """

    search: Numbers
    test: Numbers | None = None

    def on(self, split: Split, names: Sequence[str]) -> Scores | None:
        """The scores of one split in the run's order; None where that split was not judged."""
        values = self.search if split == "search" else self.test
        return None if values is None else Scores(tuple(names), tuple(values[name] for name in names))

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return {"search": dict(self.search), "test": None if self.test is None else dict(self.test)}


@dataclass(frozen=True, slots=True)
class Model:
    """A model that the front is compared with: a source, or a rival merged in parameter space.

    Attributes:
        name: What reports call it.
        depth: Number of layers.
        scores: Raw scores.
        metrics: What people quote (exact match, chrF ...), on the test split; may be empty.
        merge: How it was merged; None for a source.
    """

    name: str
    depth: int
    scores: SplitScores
    metrics: Numbers = field(default_factory=dict)
    merge: MergeSpec | None = None

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        base = {"name": self.name, "depth": self.depth, "scores": self.scores.to_json(), "metrics": dict(self.metrics)}
        return base if self.merge is None else base | {"merge": self.merge.to_json()}


@dataclass(frozen=True, slots=True)
class Member:
    """A candidate of the front.

    Attributes:
        recipe: The model.
        scores: Raw scores.
        metrics: What people quote, on the test split; may be empty.
    """

    recipe: Recipe
    scores: SplitScores
    metrics: Numbers = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As a JSON value."""
        return {
            "digest": self.recipe.digest,
            "depth": self.recipe.depth,
            "scores": self.scores.to_json(),
            "metrics": dict(self.metrics),
            "recipe": self.recipe.to_json(),
        }


@dataclass(frozen=True, slots=True)
class FrontFile:
    """The result of a run.

    Attributes:
        objectives: In the order of every score vector.
        normaliser: Floors and best sources, of the search split.
        utility: Name of the utility.
        utility_parameters: Its parameters.
        preference: What the chosen model was chosen for.
        hypervolume: Of the candidates' normalised test scores; None until they were judged.
        hypervolume_search: The same on the search split.
        hypervolume_ratio: Of `hypervolume` to that of sources and rivals together, with a 95 % interval from a paired
            bootstrap over test items; None where scores are no means over items.
        evaluations: Unique recipes that the run asked for.
        seed: The run's seed.
        sources: The sources.
        rivals: The parameter-space merges.
        candidates: The front.
        chosen: Digest of the chosen candidate.
        versions: Package -> version.
    """

    objectives: tuple[Objective, ...]
    normaliser: Normaliser
    utility: str
    utility_parameters: Numbers
    preference: Preference
    hypervolume: float | None
    hypervolume_search: float
    hypervolume_ratio: Interval | None
    evaluations: int
    seed: int
    sources: tuple[Model, ...]
    rivals: tuple[Model, ...]
    candidates: tuple[Member, ...]
    chosen: str
    versions: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """The objectives' names, in order."""
        return tuple(objective.name for objective in self.objectives)

    @property
    def utility_function(self) -> Utility:
        """What a preference makes of normalised scores."""
        return UTILITIES[self.utility](**self.utility_parameters)

    @property
    def chosen_member(self) -> Member:
        """The chosen candidate."""
        return next(member for member in self.candidates if member.recipe.digest == self.chosen)

    def to_json(self) -> dict[str, Any]:
        """As a JSON value; `front_from_json` reads it back."""
        return {
            "format": FORMAT,
            "objectives": [asdict(objective) for objective in self.objectives],
            "reference_point": [0.0] * len(self.objectives),
            "normalisation": {
                "floors": dict(zip(self.names, self.normaliser.floors, strict=True)),
                "bests": dict(zip(self.names, self.normaliser.bests, strict=True)),
            },
            "utility": {"name": self.utility, "parameters": dict(self.utility_parameters)},
            "preference": self.preference.as_dict(),
            "hypervolume": self.hypervolume,
            "hypervolume_search": self.hypervolume_search,
            "hypervolume_ratio": self.hypervolume_ratio and asdict(self.hypervolume_ratio),
            "evaluations": self.evaluations,
            "seed": self.seed,
            "chosen": self.chosen,
            "candidates": [member.to_json() for member in self.candidates],
            "sources": [model.to_json() for model in self.sources],
            "rivals": [model.to_json() for model in self.rivals],
            "versions": dict(self.versions),
        }


def front_hypervolume(members: Iterable[Member], normaliser: Normaliser, split: Split) -> float | None:
    """The hypervolume of normalised scores on one split; None if a member was not judged on it."""
    scores = [member.scores.on(split, normaliser.names) for member in members]
    judged = [each.values for each in scores if each is not None]
    return hypervolume(normaliser(judged)) if judged and len(judged) == len(scores) else None


def versions_in_use(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Package -> installed version; what is not installed is left out."""
    found = {}
    for package in packages:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found
