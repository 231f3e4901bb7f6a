"""A layer's low-rank terms, in the form in which the decoder uses its matrices."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from hm3.layers.conditioned import ConditionedTerm
from hm3.layers.low_rank import LowRank


@dataclass(frozen=True, slots=True)
class LayerTerms:
    """What is added to the matrices of a layer that have the same names; None adds nothing."""

    qkv: LowRank | None = None
    out: LowRank | None = None
    gate_up: LowRank | None = None
    down: LowRank | None = None


NO_TERMS = LayerTerms()


@dataclass(frozen=True, slots=True)
class ConditionedTerms:
    """The same for every weights."""

    qkv: ConditionedTerm | None
    out: ConditionedTerm | None
    gate_up: ConditionedTerm | None
    down: ConditionedTerm | None

    def at(self, weights: Tensor) -> LayerTerms:
        """What is added for weights (K,)."""
        return LayerTerms(*(None if term is None else term.at(weights) for term in self._terms))

    def tensors(self) -> dict[str, Tensor]:
        """The factors."""
        names = ("qkv", "out", "gate_up", "down")
        return {
            f"{name}.{factor}": tensor
            for name, term in zip(names, self._terms, strict=True)
            if term is not None
            for factor, tensor in term._asdict().items()
        }

    @property
    def _terms(self) -> tuple[ConditionedTerm | None, ...]:
        return self.qkv, self.out, self.gate_up, self.down
