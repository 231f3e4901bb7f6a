"""The forward of decoders with RMS norms, rotary attention and gated MLPs, shaped for scoring many stacks.

Functions of weights and hidden states, with no module and no cache in between: a layer is applied to whatever hidden
states come, so that stacks with a common prefix compute it once. Rows are right-padded; under a causal mask padding
never reaches a real position, so no padding mask exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own convention

from hm3.checkpoints.settings import settings_of
from hm3.layers.attention import CausalAttention
from hm3.layers.decoder.design import Design
from hm3.layers.decoder.designs import PLAIN
from hm3.layers.decoder.layout import LayerWeights
from hm3.layers.decoder.pieces import capped
from hm3.layers.forward import FULL, SLIDING, Ending, answers
from hm3.layers.low_rank import linear
from hm3.layers.rotary import Rotary, angles


class Decoder:
    """Runs single layers of one family at one shape.

    The scalars (heads, norm epsilon, rotary base, window, caps) are the embedding host's and hold for every layer of a
    stack, as they do in the exported config.

    Args:
        config: The host's ``config.json``.
        length: The longest row, in tokens.
        device: Where it runs.
        dtype: Of hidden states and weights.
        design: How the family's layers compute.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        length: int,
        device: torch.device,
        dtype: torch.dtype,
        design: Design = PLAIN,
    ) -> None:
        settings = settings_of(config)
        self.heads = int(settings.num_attention_heads)
        self.kv_heads = int(settings.num_key_value_heads)
        self.head_dim = int(getattr(settings, "head_dim", None) or settings.hidden_size // self.heads)
        self.eps = self._hidden_eps = float(settings.rms_norm_eps)
        self._design = design
        self._logit_cap = _number(settings, design.logit_cap)
        scale = (_number(settings, design.query_scalar) or self.head_dim) ** -0.5
        cap = _number(settings, design.score_cap)
        windows = {FULL: None, SLIDING: getattr(settings, "sliding_window", None)}
        self._attend = {
            kind: CausalAttention(length, device, dtype, scale=scale, window=window, cap=cap)
            for kind, window in windows.items()
        }
        self._turn = {
            kind: Rotary(*angles(config, self.head_dim, length, kind, design.partly_turned), device, dtype)
            for kind in windows
        }

    def begin(self, embedding: tuple[Tensor, ...], tokens: Tensor) -> Tensor:
        """Token rows (rows, length) to hidden states (rows, length, width)."""
        return self._design.embed(embedding[0], tokens)

    def layer(self, weights: LayerWeights, hidden: Tensor) -> Tensor:
        """One layer at every position: (rows, length, width) to the same shape, in new memory."""
        query, key, value = self._heads_of(weights, hidden)
        mixed = self._attend[weights.kind.attention](query, key, value)
        flat = mixed.transpose(1, 2).reshape(*hidden.shape[:2], -1)
        hidden = hidden + self._attended(weights, flat)
        return hidden.add_(self._mlp(weights, hidden))

    def last_layer(self, weights: LayerWeights, hidden: Tensor, slots: Tensor, used: Tensor) -> Tensor:
        """One layer at answer positions only: keys and values everywhere, all the rest where it is needed.

        Args:
            weights: The layer.
            hidden: (rows, length, width).
            slots: (rows, answers) positions that predict an answer token, padded with any position.
            used: (rows, answers) which slots are real.

        Returns:
            (number of real slots, width), row by row.
        """
        query, key, value = self._heads_of(weights, hidden)
        index = slots[:, None, :, None].expand(-1, self.heads, -1, self.head_dim)
        mixed = self._attend[weights.kind.attention](query.gather(2, index), key, value, slots)
        kept = answers(hidden, slots, used)
        kept = kept.add_(self._attended(weights, mixed.transpose(1, 2).flatten(2)[used]))
        return kept.add_(self._mlp(weights, kept))

    def logits(self, ending: Ending, hidden: Tensor) -> Tensor:
        """(n, width) to (n, vocabulary)."""
        logits = F.linear(self._design.norm(hidden, ending.norm[0], self._hidden_eps), ending.head)
        return logits if self._logit_cap is None else capped(logits, self._logit_cap)

    def at(self, scale: float) -> Decoder:
        """The same forward for hidden states `scale` times as large; epsilon is in units of their square."""
        scaled = copy(self)
        scaled._hidden_eps = self.eps * scale**2
        return scaled

    def _heads_of(self, weights: LayerWeights, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, length, _ = hidden.shape
        mixed = linear(self._before(hidden, weights.before_attention), weights.qkv, weights.qkv_bias, weights.terms.qkv)
        mixed = mixed.view(rows, length, -1, self.head_dim)
        turned = mixed[:, :, : self.heads + self.kv_heads]
        if weights.query_norm is not None and weights.key_norm is not None:
            turned = self._normed_heads(turned, weights.query_norm, weights.key_norm)
        if weights.kind.rope:
            turned = self._turn[weights.kind.attention](turned)
        query, key = torch.split(turned, [self.heads, self.kv_heads], dim=2)
        value = mixed[:, :, self.heads + self.kv_heads :]
        return query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)

    def _normed_heads(self, heads: Tensor, query_gain: Tensor, key_gain: Tensor) -> Tensor:
        norm, normed = self._design.norm, self._design.head_norm
        query, key = torch.split(heads, [self.heads, self.kv_heads], dim=2)
        return torch.cat((normed(norm, query, query_gain, self.eps), normed(norm, key, key_gain, self.eps)), dim=2)

    def _attended(self, weights: LayerWeights, mixed: Tensor) -> Tensor:
        """(…, heads·d) to what attention adds to the hidden states."""
        return self._after(linear(mixed, weights.out, weights.out_bias, weights.terms.out), weights.after_attention)

    def _mlp(self, weights: LayerWeights, hidden: Tensor) -> Tensor:
        """What the MLP adds to the hidden states."""
        given = self._before(hidden, weights.before_mlp)
        gate, up = linear(given, weights.gate_up, weights.gate_up_bias, weights.terms.gate_up).chunk(2, dim=-1)
        inner = self._design.activation(gate).mul_(up)
        added = linear(inner, weights.down, weights.down_bias, weights.terms.down)
        return self._after(added, weights.after_mlp)

    def _before(self, hidden: Tensor, gain: Tensor | None) -> Tensor:
        return hidden if gain is None else self._design.norm(hidden, gain, self._hidden_eps)

    def _after(self, added: Tensor, gain: Tensor | None) -> Tensor:
        return added if gain is None else self._design.norm(added, gain, self.eps)


def _number(settings: Any, key: str | None) -> float | None:
    value = None if key is None else getattr(settings, key)
    return None if value is None else float(value)
