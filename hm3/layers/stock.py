"""The forward of families that run through transformers' own modules.

Nothing of a family is written down here: its own model, with one layer and without weights, is asked what it gives
its layer (hidden states, masks, rotary tables), and the layer is then called with just that and a source's weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy, deepcopy
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own convention

from hm3.checkpoints.settings import settings_of
from hm3.layers.empty_model import empty_model
from hm3.layers.forward import Ending, LayerKind, answers
from hm3.layers.rotary import check_fixed
from hm3.layers.stage import USUAL, Parts, Stage
from hm3.layers.stock_weights import StockWeights


class StockForward:
    """Runs single layers by transformers' own modules, at the scalars of one host.

    A layer's parameters are lent to the module for the call: nothing is copied.

    Args:
        config: The host's ``config.json``.
        length: The longest row, in tokens.
        device: Where it runs.
        dtype: Of hidden states and weights.
        parts: What the family's model calls its parts.

    Raises:
        CheckpointError: Rotary embeddings would depend on the sequence at hand.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        length: int,
        device: torch.device,
        dtype: torch.dtype,
        parts: Parts = USUAL,
    ) -> None:
        self._config, self._parts = config, parts
        self._device, self._dtype = device, dtype
        self._scale = 1.0
        self._stages: dict[LayerKind, Stage] = {}
        settings = settings_of(config)
        rope = getattr(settings, "rope_parameters", None)
        if rope:
            check_fixed(settings, rope, length)

    def begin(self, embedding: tuple[Tensor, ...], tokens: Tensor) -> Tensor:
        """Token rows (rows, length) to hidden states (rows, length, width); `embedding` as the row lists it."""
        return self._stage(LayerKind()).begin(embedding, tokens)

    def layer(self, weights: StockWeights, hidden: Tensor) -> Tensor:
        """One layer at every position: (rows, length, width) to the same shape, in new memory.

        Raises:
            CheckpointError: The weights are not those that the host's config describes.
        """
        return self._stage(weights.kind).layer(weights.parameters, hidden)

    def last_layer(self, weights: StockWeights, hidden: Tensor, slots: Tensor, used: Tensor) -> Tensor:
        """One layer, read at answer positions: see `Forward.last_layer`."""
        return answers(self.layer(weights, hidden), slots, used)

    def logits(self, ending: Ending, hidden: Tensor) -> Tensor:
        """(n, width) to (n, vocabulary)."""
        return F.linear(self._stage(LayerKind()).normed(ending.norm, hidden), ending.head)

    def at(self, scale: float) -> StockForward:
        """The same forward for hidden states `scale` times as large: see `Forward.at`."""
        scaled = copy(self)
        scaled._scale, scaled._stages = self._scale * scale, {}
        return scaled

    def _stage(self, kind: LayerKind) -> Stage:
        if kind not in self._stages:
            self._stages[kind] = Stage(self._one_layer(kind), self._parts, self._device, self._dtype, self._scale)
        return self._stages[kind]

    def _one_layer(self, kind: LayerKind) -> Any:
        """The family's model with one layer of this kind, without its head."""
        settings = deepcopy(settings_of(self._config))
        settings.num_hidden_layers, settings.use_cache, settings.pad_token_id = 1, False, None
        if hasattr(settings, "layer_types"):
            settings.layer_types = [kind.attention]
        if hasattr(settings, "mlp_only_layers"):
            settings.mlp_only_layers, settings.decoder_sparse_step = [] if kind.experts else [0], 1
        return empty_model(settings, self._device, self._dtype).base_model
