"""The HM3 paper's parameter level: one merge for each anchor preference, with the preference as merge weights.

The paper merges anew for every preference vector; here a few anchors are enough, since the architecture level mixes
their layers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from hm3.errors import ConfigurationError
from hm3.objectives import Preference
from hm3.parameter.level import Expert
from hm3.parameter.specification import Settings, specify
from hm3.recipe import MergeSpec, Source


@dataclass(frozen=True)
class PreferenceWeighted:
    """One merged source for each anchor preference.

    Attributes:
        method: A row of `METHODS`.
        settings: Values other than the method's defaults.
        anchors: Objective -> weight, once for each merged source; None for one anchor at every objective.
        share: Weight of the objective that such an anchor is at; the others share the rest.
    """

    method: str = "dare_ties"
    settings: Settings = field(default_factory=dict)
    anchors: Sequence[Mapping[str, float]] | None = None
    share: float = 0.6

    def __call__(self, base: Source, experts: Sequence[Expert], objectives: Sequence[str]) -> list[Source]:
        """The merged sources; anchors that come to the same merge give one.

        Raises:
            ConfigurationError: An anchor or setting is wrong, or an anchor gives weight to no expert.
        """
        taken = {base.name, *(expert.source.name for expert in experts)}
        sources: dict[str, Source] = {}
        for preference in self.preferences(objectives):
            spec = self.merge_for(preference, base, experts)
            if spec.digest not in sources:
                name = _free(preference_name(preference), taken)
                taken.add(name)
                sources[spec.digest] = Source.merged(name, spec)
        return list(sources.values())

    def preferences(self, objectives: Sequence[str]) -> list[Preference]:
        """The anchors: the stated ones, or one at every objective.

        Raises:
            ConfigurationError: An anchor is no preference over `objectives`.
        """
        if self.anchors is None:
            return default_anchors(objectives, share=self.share)
        return [Preference.of(anchor, objectives) for anchor in self.anchors]

    def merge_for(self, preference: Preference, base: Source, experts: Sequence[Expert]) -> MergeSpec:
        """The merge for any preference.

        Raises:
            ConfigurationError: No expert gets weight.
        """
        weights = expert_weights(preference, experts)
        merged = [(expert.source, weight) for expert, weight in zip(experts, weights, strict=True) if weight > 0]
        parents, shares = zip(*merged, strict=True)
        return specify(self.method, base=base, parents=parents, weights=shares, settings=self.settings)


def default_anchors(objectives: Sequence[str], *, share: float = 0.6) -> list[Preference]:
    """One preference for each of K objectives: `share` on it, the rest spread evenly over the others.

    Raises:
        ConfigurationError: `share` is outside (0, 1].
    """
    if not 0 < share <= 1:
        raise ConfigurationError(f"parameter.share: above 0 and at most 1, got {share}")
    rest = (1 - share) / max(len(objectives) - 1, 1)
    return [Preference.of({**dict.fromkeys(objectives, rest), name: share}, objectives) for name in objectives]


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


def _free(name: str, taken: Collection[str]) -> str:
    """`name`, or with the first number that makes it new."""
    names = [name, *(f"{name}_{number}" for number in range(2, len(taken) + 3))]
    return next(candidate for candidate in names if candidate not in taken)
