"""The HM3 paper's parameter level: one merge for each anchor preference, with the preference as merge weights.

The paper merges anew for every preference vector; here a few anchors are enough, since the architecture level mixes
their layers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from hm3.checks import by_name, listing, number, whole
from hm3.errors import ConfigurationError
from hm3.lattice import das_dennis
from hm3.objectives import Preference
from hm3.parameter.level import Expert
from hm3.parameter.specification import Settings, method_named, specify
from hm3.recipe import MergeSpec, Source


@dataclass(frozen=True)
class PreferenceWeighted:
    """One merged source for each anchor preference.

    Attributes:
        method: A row of `METHODS`.
        settings: Values other than the method's defaults.
        anchors: Objective -> weight, once for each merged source; None for a lattice.
        divisions: Steps of the Das-Dennis lattice on each side; its corners, which are no merges, are left out.
        scales: Each anchor is merged once for each: what the merged difference to the base is multiplied by
            (mergekit's ``lambda``). With weights that sum to 1 a merge holds less of each expert than the expert
            itself; a scale above 1 makes up for it (Sakana's best weights sum to about 2). None for 1 and 1.5, or
            1 alone where the method has no scale.
    """

    method: str = "dare_ties"
    settings: Settings = field(default_factory=dict)
    anchors: Sequence[Mapping[str, float]] | None = None
    divisions: int = 3
    scales: Sequence[float] | None = None

    def __post_init__(self) -> None:
        by_name("parameter.settings", self.settings)
        for anchor in [] if self.anchors is None else listing("parameter.anchors", self.anchors):
            by_name("parameter.anchors", anchor)
        for scale in [] if self.scales is None else listing("parameter.scales", self.scales):
            number("parameter.scales", scale, 0, above=True)

    def __call__(self, base: Source, experts: Sequence[Expert], objectives: Sequence[str]) -> list[Source]:
        """The merged sources; anchors that come to the same merge give one.

        Raises:
            ConfigurationError: An anchor or setting is wrong, or an anchor gives weight to no expert.
        """
        taken = {base.name, *(expert.source.name for expert in experts)}
        sources: dict[str, Source] = {}
        for scale, preference in itertools.product(self._scales(), self._mergeable(objectives, experts)):
            spec = self.merge_for(preference, base, experts, scale)
            if spec.digest not in sources:
                name = _free(preference_name(preference) + _scale_name(scale), taken)
                taken.add(name)
                sources[spec.digest] = Source.merged(name, spec)
        return list(sources.values())

    def preferences(self, objectives: Sequence[str]) -> list[Preference]:
        """The anchors: the stated ones, or a lattice's.

        Raises:
            ConfigurationError: An anchor is no preference over `objectives`.
        """
        if self.anchors is None:
            return lattice_anchors(objectives, self.divisions)
        return [Preference.of(anchor, objectives) for anchor in self.anchors]

    def _scales(self) -> Sequence[float]:
        if self.scales is not None:
            return self.scales
        return (1.0, 1.5) if "lambda" in method_named(self.method).parameters else (1.0,)

    def _mergeable(self, objectives: Sequence[str], experts: Sequence[Expert]) -> list[Preference]:
        """The anchors; of a lattice, those that weigh no more experts than the method can merge."""
        anchors, most = self.preferences(objectives), method_named(self.method).max_parents
        if self.anchors is not None or most is None:
            return anchors
        fitting = [each for each in anchors if sum(weight > 0 for weight in expert_weights(each, experts)) <= most]
        return fitting or anchors

    def merge_for(
        self, preference: Preference, base: Source, experts: Sequence[Expert], scale: float = 1.0
    ) -> MergeSpec:
        """The merge for any preference.

        Raises:
            ConfigurationError: No expert gets weight.
        """
        weights = expert_weights(preference, experts)
        merged = [(expert.source, weight) for expert, weight in zip(experts, weights, strict=True) if weight > 0]
        parents, shares = zip(*merged, strict=True)
        settings = self.settings if scale == 1 else {**self.settings, "lambda": float(scale)}
        return specify(self.method, base=base, parents=parents, weights=shares, settings=settings)


def lattice_anchors(objectives: Sequence[str], divisions: int) -> list[Preference]:
    """The Das-Dennis lattice over K objectives without its corners; a single objective is its own anchor.

    Raises:
        ConfigurationError: `divisions` leaves only corners.
    """
    whole("parameter.divisions", divisions, 2)
    points = [tuple(map(float, point)) for point in das_dennis(len(objectives), divisions)]
    inner = [point for point in points if max(point) < 1] or points
    return [Preference(tuple(objectives), point) for point in inner]


def expert_weights(preference: Preference, experts: Sequence[Expert]) -> list[float]:
    """Merge weights, one for each expert, sum 1.

    An objective's weight is shared evenly by the experts that are for it; an expert for several sums its shares.
    Weight on objectives that nobody is for (a cost of depth, say) falls away.

    Raises:
        ConfigurationError: An expert is for an unknown objective, or none gets weight.
    """
    known = preference.as_dict()
    serving = {name: sum(name in expert.objectives for expert in experts) for name in known}
    weights = []
    for expert in experts:
        for name in expert.objectives:
            if name not in known:
                raise ConfigurationError(f"expert {expert.source.name}: objectives are {', '.join(known)}, got {name}")
        weights.append(expert.weight + math.fsum(known[name] / serving[name] for name in expert.objectives))
    total = math.fsum(weights)
    if not total > 0:
        raise ConfigurationError(f"merge weights: an expert for some objective of {known}, got none")
    return [weight / total for weight in weights]


def preference_name(preference: Preference) -> str:
    """``merge_math60`` where one objective leads and the others are equal, else all: ``merge_math60_code40``."""
    ranked = sorted(preference.as_dict().items(), key=lambda item: -item[1])
    stated = [(name, weight) for name, weight in ranked if round(100 * weight)]
    others = [weight for _, weight in ranked[1:]]
    if others and math.isclose(min(others), max(others)) and ranked[0][1] > others[0] > 0:
        stated = stated[:1]
    return "_".join(["merge", *(f"{name}{round(100 * weight)}" for name, weight in stated)])


def _scale_name(scale: float) -> str:
    return "" if scale == 1 else f"_x{scale:g}"


def _free(name: str, taken: Collection[str]) -> str:
    """`name`, or with the first number that makes it new."""
    names = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
    return next(candidate for candidate in names if candidate not in taken)
