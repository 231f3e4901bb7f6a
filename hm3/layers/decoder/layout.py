"""What a family calls its layers' tensors, and the layer's weights in the form in which the decoder uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from hm3.errors import CheckpointError
from hm3.layers.conditioned import ConditionedTerm
from hm3.layers.decoder.stacking import joined, joined_terms, parted
from hm3.layers.decoder.terms import NO_TERMS, ConditionedTerms, LayerTerms
from hm3.layers.forward import LayerKind


@dataclass(frozen=True, slots=True)
class Layout:
    """The names of a layer's tensors, without the layer's prefix and without ``.weight`` or ``.bias``.

    Attributes:
        norms: Which norm of `LayerWeights` has which name; where there is none, nothing is normalised.
        qkv: Query, key and value projections, or the one that is all three.
        out: The attention's output projection.
        gate_up: Gate and up projections, or the one that is both.
        down: The MLP's output projection.
    """

    norms: Mapping[str, str]
    qkv: tuple[str, ...] = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
    out: str = "self_attn.o_proj"
    gate_up: tuple[str, ...] = ("mlp.gate_proj", "mlp.up_proj")
    down: str = "mlp.down_proj"

    def pack(self, tensors: Mapping[str, Tensor], kind: LayerKind) -> LayerWeights:
        """A layer's weights from its tensors by the names that they have after the layer's prefix.

        Raises:
            CheckpointError: A tensor is missing, or there is one that the decoder would ignore.
        """
        self._check(set(tensors))
        qkv, qkv_bias = joined(tensors, self.qkv)
        out, out_bias = joined(tensors, (self.out,))
        gate_up, gate_up_bias = joined(tensors, self.gate_up)
        down, down_bias = joined(tensors, (self.down,))
        return LayerWeights(
            layout=self,
            kind=kind,
            qkv_rows=tuple(len(tensors[f"{name}.weight"]) for name in self.qkv),
            qkv=qkv,
            qkv_bias=qkv_bias,
            out=out,
            out_bias=out_bias,
            gate_up=gate_up,
            gate_up_bias=gate_up_bias,
            down=down,
            down_bias=down_bias,
            terms=NO_TERMS,
            **{norm: tensors[f"{name}.weight"] for norm, name in self.norms.items()},
        )

    def _check(self, given: set[str]) -> None:
        groups = [self.qkv, (self.out,), self.gate_up, (self.down,)]
        needed = {f"{name}.weight" for group in [*groups, self.norms.values()] for name in group}
        for biases in ({f"{name}.bias" for name in group} for group in groups):
            needed |= biases if biases & given else set()  # of projections that run as one, all have biases or none
        if given != needed:
            odd = ", ".join(sorted(needed - given) + sorted(given - needed))
            raise CheckpointError(f"layer: the tensors of its family's row, missing or unknown {odd}")


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """One decoder layer. Projections that read the same input are stacked, so that one product serves them.

    Attributes:
        layout: What the tensors are called.
        kind: What the layer does otherwise than its neighbours.
        qkv_rows: Rows of each tensor in `qkv`.
        qkv: (heads·d + 2·kv_heads·d, width): query, key and value rows, in this order; d is the head's width
        qkv_bias: (heads·d + 2·kv_heads·d,) or None
        out: (width, heads·d)
        out_bias: (width,) or None
        gate_up: (2·inner, width): gate rows, then up rows
        gate_up_bias: (2·inner,) or None
        down: (width, inner)
        down_bias: (width,) or None
        before_attention: (width,) gain of the norm that attention reads, or None; so the other norms
        after_attention: (width,) of what attention adds
        before_mlp: (width,)
        after_mlp: (width,)
        query_norm: (d,) or (heads·d,)
        key_norm: (d,) or (kv_heads·d,)
        terms: What is added to the matrices.
    """

    layout: Layout
    kind: LayerKind
    qkv_rows: tuple[int, ...]
    qkv: Tensor
    qkv_bias: Tensor | None
    out: Tensor
    out_bias: Tensor | None
    gate_up: Tensor
    gate_up_bias: Tensor | None
    down: Tensor
    down_bias: Tensor | None
    before_attention: Tensor | None = None
    after_attention: Tensor | None = None
    before_mlp: Tensor | None = None
    after_mlp: Tensor | None = None
    query_norm: Tensor | None = None
    key_norm: Tensor | None = None
    terms: LayerTerms = NO_TERMS

    def tensors(self) -> dict[str, Tensor]:
        """The tensors under their names in the file again, as views: no memory beyond this layer's own.

        Terms are no part of them.
        """
        layout = self.layout
        return {
            **{f"{name}.weight": getattr(self, norm) for norm, name in layout.norms.items()},
            **dict(parted(layout.qkv, self.qkv_rows, self.qkv, self.qkv_bias)),
            **dict(parted((layout.out,), (len(self.out),), self.out, self.out_bias)),
            **dict(parted(layout.gate_up, self._gate_up_rows, self.gate_up, self.gate_up_bias)),
            **dict(parted((layout.down,), (len(self.down),), self.down, self.down_bias)),
        }

    def pack_terms(self, terms: Mapping[str, ConditionedTerm]) -> ConditionedTerms:
        """Terms of the layer's matrices, by the names that these have in the file."""
        layout = self.layout
        return ConditionedTerms(
            qkv=joined_terms(terms, layout.qkv, self.qkv_rows),
            out=joined_terms(terms, (layout.out,), (len(self.out),)),
            gate_up=joined_terms(terms, layout.gate_up, self._gate_up_rows),
            down=joined_terms(terms, (layout.down,), (len(self.down),)),
        )

    def plus(self, terms: ConditionedTerms, weights: Tensor) -> LayerWeights:
        """The same layer with the terms for weights (K,); its tensors are shared."""
        return replace(self, terms=terms.at(weights))

    @property
    def _gate_up_rows(self) -> tuple[int, ...]:
        parts = len(self.layout.gate_up)
        return (len(self.gate_up) // parts,) * parts
