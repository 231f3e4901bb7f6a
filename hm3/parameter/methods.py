"""The merge methods, a row each. Their arithmetic is mergekit's; names, limits and defaults are stated here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Setting = float | int | str | bool
Part = Literal["shared", "parent"]

SEED = "seed"  # of the methods that drop at random; mergekit takes it as an option, not as a parameter


@dataclass(frozen=True, slots=True)
class Parameter:
    """A setting of a method.

    Attributes:
        default: Its value unless stated; its type is the parameter's.
        part: Whether all parents share it or each may have its own.
        low: Smallest value allowed, for numbers.
        high: Largest value allowed, for numbers.
    """

    default: Setting
    part: Part = "shared"
    low: float = float("-inf")
    high: float = float("inf")


@dataclass(frozen=True, slots=True)
class Method:
    """A merge method.

    Attributes:
        name: What mergekit and HM3 call it.
        needs_base: Whether it merges differences to a base; otherwise the base only lends config and tokenizer.
        parameters: Its settings, by mergekit's names.
        min_parents: Fewest parents.
        max_parents: Most parents, or None.
        weighted: Whether the parents' weights change the result.
        own_weights: Whether each parent's weight is a parameter of mergekit's, free of the others'.
    """

    name: str
    needs_base: bool
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    min_parents: int = 1
    max_parents: int | None = None
    weighted: bool = True
    own_weights: bool = True

    @property
    def random(self) -> bool:
        """Whether the result depends on a seed."""
        return SEED in self.parameters


def _delta(*, normalize: bool, rescale: bool = False) -> dict[str, Parameter]:
    """What all methods over differences to a base share; `normalize` and `rescale` are mergekit's defaults."""
    return {"normalize": Parameter(normalize), "rescale": Parameter(rescale), "lambda": Parameter(1.0)}


def _density(default: float) -> dict[str, Parameter]:
    """The share of each difference that is kept. mergekit's own default, 1, would keep all."""
    return {"density": Parameter(default, "parent", 0.0, 1.0)}


_SEEDED = {SEED: Parameter(0, low=0, high=2**32 - 1)}
_EPSILON = {"epsilon": Parameter(0.15, "parent", 0.0, 0.5)}
_GAMMA = {"gamma": Parameter(0.01, "parent", 0.0, 1.0)}

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        # DARE drops half and more of large models' differences; small models don't bear it (measured on the zoo).
        Method("dare_ties", True, {**_delta(normalize=False, rescale=True), **_density(0.9), **_SEEDED}),
        Method("dare_linear", True, {**_delta(normalize=False, rescale=True), **_density(0.9), **_SEEDED}),
        Method("linear", False, {"normalize": Parameter(True)}),
        Method("task_arithmetic", True, {"normalize": Parameter(False), "lambda": Parameter(1.0)}),
        Method("ties", True, {**_delta(normalize=True), **_density(0.5)}),
        Method("slerp", False, min_parents=2, max_parents=2, own_weights=False),
        Method("della", True, {**_delta(normalize=True, rescale=True), **_density(0.5), **_EPSILON, **_SEEDED}),
        Method("breadcrumbs", True, {**_delta(normalize=False), **_density(0.9), **_GAMMA}),
        Method(
            "model_stock", True, {"filter_wise": Parameter(False)}, min_parents=2, weighted=False, own_weights=False
        ),
    )
}
