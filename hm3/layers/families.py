"""Model families: one row each. A new family is a row here, proven by the tests that run over all rows."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from hm3.errors import CheckpointError
from hm3.layers.decoder import Decoder, Design, designs
from hm3.layers.forward import ForwardMaker, WeightsForm
from hm3.layers.kinds import Kind, kind_with_experts, listed_kind, plain_kind, sometimes_turned_kind, windowed_kind
from hm3.layers.refusals import obstacle
from hm3.layers.stage import Parts
from hm3.layers.stock import StockForward
from hm3.layers.stock_weights import PackedExperts, StockWeights


@dataclass(frozen=True, slots=True)
class Family:
    """Where a family keeps its tensors, and how it runs.

    Attributes:
        model_type: The config's ``model_type``.
        layer: Prefix of a decoder layer's tensors; ``{}`` is the layer's index.
        embedding: Names of what comes before the layers, the token embedding first.
        norm: Names of the final norm's tensors.
        head: Name of the output head; absent from the file where it is tied to the embedding.
        refused: Config keys that change the forward in ways this row doesn't cover, with the only value allowed beside
            none.
        weights: Packs a layer's tensors for the forward.
        forward: Makes the forward at a host's scalars.
        kind: Of a source's config and a layer's index: what the layer does otherwise than its neighbours.
        takes_terms: Whether `weights` makes such that `TakesTerms`.
    """

    model_type: str
    layer: str = "model.layers.{}."
    embedding: tuple[str, ...] = ("model.embed_tokens.weight",)
    norm: tuple[str, ...] = ("model.norm.weight",)
    head: str = "lm_head.weight"
    refused: tuple[tuple[str, Any], ...] = ()
    weights: WeightsForm = designs.PLAIN.layout.pack
    forward: ForwardMaker = Decoder
    kind: Kind = plain_kind
    takes_terms: bool = True

    def layer_names(self, names: Iterable[str], index: int) -> list[str]:
        """Of a checkpoint's tensor `names` the weights of layer `index`."""
        prefix = self.layer_prefix(index)
        return [name for name in names if name.startswith(prefix)]

    def layer_prefix(self, index: int) -> str:
        """Prefix of the tensors of layer `index`."""
        return self.layer.format(index)


_ANY = (("per_layer_config", None),)
_PLAIN = (*_ANY, ("hidden_act", "silu"))
_GEMMA = (*_ANY, ("hidden_activation", "gelu_pytorch_tanh"), ("use_bidirectional_attention", False))


def _designed(model_type: str, design: Design, **row: Any) -> Family:
    """The row of a family whose decoder is of this design."""
    return Family(model_type, weights=design.layout.pack, forward=partial(Decoder, design=design), **row)


def _with_experts(model_type: str, weights: PackedExperts = PackedExperts(), **row: Any) -> Family:  # noqa: B008
    """The row of a family of mixtures of experts."""
    return Family(model_type, refused=_ANY, weights=weights, forward=StockForward, takes_terms=False, **row)


_GPT2 = partial(StockForward, parts=Parts("h", "ln_f", ("wte.weight", "wpe.weight")))
_NEOX = partial(StockForward, parts=Parts("layers", "final_layer_norm", ("embed_in.weight",)))

FAMILIES: dict[str, Family] = {
    row.model_type: row
    for row in (
        Family("llama", refused=_PLAIN),
        Family("mistral", refused=_PLAIN, kind=windowed_kind),
        Family("qwen2", refused=_PLAIN, kind=listed_kind),
        _designed("qwen3", designs.NORMED_HEADS, refused=_PLAIN, kind=listed_kind),
        _designed("phi3", designs.FUSED, refused=_PLAIN, kind=windowed_kind),
        _designed("gemma2", designs.GEMMA2, refused=_GEMMA, kind=listed_kind),
        _designed("gemma3_text", designs.GEMMA3, refused=_GEMMA, kind=listed_kind),
        Family("smollm3", refused=_PLAIN, kind=sometimes_turned_kind),
        _designed("olmo2", designs.POST_NORMED, refused=_PLAIN),
        Family(
            "gpt_neox",
            layer="gpt_neox.layers.{}.",
            embedding=("gpt_neox.embed_in.weight",),
            norm=("gpt_neox.final_layer_norm.weight", "gpt_neox.final_layer_norm.bias"),
            head="embed_out.weight",
            refused=_ANY,
            weights=StockWeights.keep,
            forward=_NEOX,
            takes_terms=False,
        ),
        Family(
            "gpt2",
            layer="transformer.h.{}.",
            embedding=("transformer.wte.weight", "transformer.wpe.weight"),
            norm=("transformer.ln_f.weight", "transformer.ln_f.bias"),
            refused=(*_ANY, ("scale_attn_by_inverse_layer_idx", False), ("add_cross_attention", False)),
            weights=StockWeights.keep,
            forward=_GPT2,
            takes_terms=False,
        ),
        _with_experts("mixtral", PackedExperts("block_sparse_moe", gate="w1", up="w3", down="w2")),
        _with_experts("qwen3_moe", kind=kind_with_experts(plain_kind)),
        _with_experts("qwen2_moe", kind=kind_with_experts(listed_kind)),
    )
}


def family_of(name: str, config: Mapping[str, Any]) -> Family:
    """The row for a source's config.

    Args:
        name: The source, for the message.
        config: Its ``config.json``.

    Raises:
        CheckpointError: No row for this model type, layers that don't stand alone, or a setting the row doesn't cover.
    """
    model_type = config.get("model_type")
    family, found = FAMILIES.get(str(model_type)), obstacle(config)
    if found is not None:
        rule = f"{found.field} of a decoder whose layers stand alone"
        raise CheckpointError(f"source {name}: {rule}, got {reprlib.repr(config[found.field])}: {found.reason}")
    if family is None:
        raise CheckpointError(f"source {name}: model_type must be one of {', '.join(FAMILIES)}, got {model_type!r}")
    for key, only in family.refused:
        if config.get(key) not in (None, only):
            raise CheckpointError(f"source {name}: {model_type} needs {key}={only!r}, got {config[key]!r}")
    return family
