"""A merged source that follows each episode's own preference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hm3.errors import ConfigurationError
from hm3.objectives import Preference
from hm3.parameter import Expert, expert_weights
from hm3.parameter.pareto import METHOD, ParetoTensor
from hm3.recipe import Source


@dataclass(frozen=True)
class ConditionedSource:
    """Gives every preference its merged model.

    Attributes:
        tensor: What was trained.
        experts: The experts of the tensor, in its order, and what they are for.
        objectives: All objectives of the run, in order.
        name: What all of these sources are called.
    """

    tensor: ParetoTensor
    experts: tuple[Expert, ...]
    objectives: tuple[str, ...]
    name: str = METHOD

    def __call__(self, weights: Sequence[float]) -> Source:
        """The merged model for a preference's weights on the objectives."""
        preference = Preference(self.objectives, tuple(map(float, weights)))
        return self.tensor.source(self.name, self._shares(preference))

    @property
    def default(self) -> Source:
        """The one for equal weights."""
        return self(Preference.of(None, self.objectives).weights)

    def _shares(self, preference: Preference) -> list[float]:
        """Weights of the experts; equal where all of a preference is on what no expert is for (the cost of depth)."""
        try:
            return expert_weights(preference, self.experts)
        except ConfigurationError:
            return expert_weights(Preference.of(None, self.objectives), self.experts)
