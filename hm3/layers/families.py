"""Model families: one row each. A new family is a row here, proven by the tests that run over all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hm3.errors import CheckpointError
from hm3.layers.decoder import Decoder, LayerWeights
from hm3.layers.forward import ForwardMaker, LayerKind, WeightsForm


def plain_kind(config: Mapping[str, Any], layer: int) -> LayerKind:
    """The kind of layers that are all alike."""
    return LayerKind()


@dataclass(frozen=True, slots=True)
class Family:
    """Where a family keeps its tensors, and how it runs.

    Attributes:
        model_type: The config's ``model_type``.
        layer: Prefix of a decoder layer's tensors; ``{}`` is the layer's index.
        embedding: Names of what comes before the layers, the token embedding first.
        norm: Names of the final norm's tensors.
        head: Name of the output head; absent from the file where it is tied to the embedding.
        refused: Config keys that change the forward in ways this row doesn't cover, with the only value allowed.
        weights: Packs a layer's tensors for the forward.
        forward: Makes the forward at a host's scalars.
        kind: Of a source's config and a layer's index: what the layer does otherwise than its neighbours.
    """

    model_type: str
    layer: str = "model.layers.{}."
    embedding: tuple[str, ...] = ("model.embed_tokens.weight",)
    norm: tuple[str, ...] = ("model.norm.weight",)
    head: str = "lm_head.weight"
    refused: tuple[tuple[str, Any], ...] = ()
    weights: WeightsForm = LayerWeights.stack
    forward: ForwardMaker = Decoder
    kind: Callable[[Mapping[str, Any], int], LayerKind] = plain_kind

    def layer_names(self, names: Iterable[str], index: int) -> list[str]:
        """Of a checkpoint's tensor `names` those of layer `index`; old files keep rotary tables, which nobody reads."""
        prefix = self.layer_prefix(index)
        return [name for name in names if name.startswith(prefix) and not name.endswith("rotary_emb.inv_freq")]

    def layer_prefix(self, index: int) -> str:
        """Prefix of the tensors of layer `index`."""
        return self.layer.format(index)


_PLAIN = (("hidden_act", "silu"), ("pretraining_tp", 1))

FAMILIES: dict[str, Family] = {
    row.model_type: row
    for row in (
        Family("llama", refused=_PLAIN),
        Family("qwen2", refused=(*_PLAIN, ("use_sliding_window", False))),
    )
}


def family_of(name: str, config: Mapping[str, Any]) -> Family:
    """The row for a source's config.

    Args:
        name: The source, for the message.
        config: Its ``config.json``.

    Raises:
        CheckpointError: No row for this model type, or a setting the row doesn't cover.
    """
    model_type = config.get("model_type")
    family = FAMILIES.get(str(model_type))
    if family is None:
        raise CheckpointError(f"source {name}: model_type must be one of {', '.join(FAMILIES)}, got {model_type!r}")
    for key, only in family.refused:
        if config.get(key, only) != only:
            raise CheckpointError(f"source {name}: {model_type} needs {key}={only!r}, got {config[key]!r}")
    return family
