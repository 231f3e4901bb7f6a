"""The forward of pre-norm decoders (RMSNorm, rotary attention, gated MLP), shaped for scoring many stacks.

Functions of weights and hidden states, with no module and no cache in between: a layer is applied to whatever hidden
states come, so that stacks with a common prefix compute it once. Rows are right-padded; under a causal mask padding
never reaches a real position, so no padding mask exists.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own convention

from hm3.errors import CheckpointError
from hm3.layers.attention import CausalAttention
from hm3.layers.forward import Ending, LayerKind, answers
from hm3.layers.rotary import angles

_PROJECTIONS = tuple(f"self_attn.{part}_proj" for part in "qkvo")
_GATES = tuple(f"mlp.{part}_proj.weight" for part in ("gate", "up", "down"))
_NEEDED = {"input_layernorm.weight", "post_attention_layernorm.weight", *_GATES, *(f"{p}.weight" for p in _PROJECTIONS)}
_BIASES = {f"{projection}.bias" for projection in _PROJECTIONS}


@dataclass(frozen=True, slots=True)
class LayerWeights:
    """One decoder layer. Projections that read the same input are stacked, so that one product serves them.

    Attributes:
        input_norm: (width,)
        qkv: (heads·d + 2·kv_heads·d, width): query, key and value rows, in this order; d is the head's width
        qkv_bias: (heads·d + 2·kv_heads·d,) or None
        out: (width, heads·d)
        out_bias: (width,) or None
        mlp_norm: (width,)
        gate_up: (2·inner, width): gate rows, then up rows
        down: (width, inner)
        kind: What the layer does otherwise than its neighbours
        key_width: kv_heads·d
    """

    input_norm: Tensor
    qkv: Tensor
    qkv_bias: Tensor | None
    out: Tensor
    out_bias: Tensor | None
    mlp_norm: Tensor
    gate_up: Tensor
    down: Tensor
    kind: LayerKind
    key_width: int

    @classmethod
    def stack(cls, tensors: Mapping[str, Tensor], kind: LayerKind) -> LayerWeights:
        """From a layer's tensors by the names that they have after the layer's prefix.

        Raises:
            CheckpointError: A tensor is missing, or there is one that this forward would ignore.
        """
        if not _NEEDED <= set(tensors) <= _NEEDED | _BIASES:
            odd = sorted(_NEEDED - set(tensors)) + sorted(set(tensors) - _NEEDED - _BIASES)
            raise CheckpointError(f"layer: the tensors of a plain decoder, missing or unknown {', '.join(odd)}")
        biases = [tensors.get(f"self_attn.{part}_proj.bias") for part in "qkv"]
        return cls(
            input_norm=tensors["input_layernorm.weight"],
            qkv=torch.cat([tensors[f"self_attn.{part}_proj.weight"] for part in "qkv"]),
            qkv_bias=None if biases[0] is None else torch.cat([bias for bias in biases if bias is not None]),
            out=tensors["self_attn.o_proj.weight"],
            out_bias=tensors.get("self_attn.o_proj.bias"),
            mlp_norm=tensors["post_attention_layernorm.weight"],
            gate_up=torch.cat([tensors["mlp.gate_proj.weight"], tensors["mlp.up_proj.weight"]]),
            down=tensors["mlp.down_proj.weight"],
            kind=kind,
            key_width=tensors["self_attn.k_proj.weight"].shape[0],
        )

    def tensors(self) -> dict[str, Tensor]:
        """The tensors under their usual names again, as views: no memory beyond this layer's own."""
        rows = [self.qkv.shape[0] - 2 * self.key_width, self.key_width, self.key_width]
        inner = self.gate_up.shape[0] // 2
        tensors = {
            "input_layernorm.weight": self.input_norm,
            "self_attn.o_proj.weight": self.out,
            "post_attention_layernorm.weight": self.mlp_norm,
            "mlp.gate_proj.weight": self.gate_up[:inner],
            "mlp.up_proj.weight": self.gate_up[inner:],
            "mlp.down_proj.weight": self.down,
        }
        for part, weight in zip("qkv", torch.split(self.qkv, rows), strict=True):
            tensors[f"self_attn.{part}_proj.weight"] = weight
        if self.qkv_bias is not None:
            for part, bias in zip("qkv", torch.split(self.qkv_bias, rows), strict=True):
                tensors[f"self_attn.{part}_proj.bias"] = bias
        if self.out_bias is not None:
            tensors["self_attn.o_proj.bias"] = self.out_bias
        return tensors


class Decoder:
    """Runs single layers of one family at one shape.

    The scalars (heads, norm epsilon, rotary base) are the embedding host's and hold for every layer of a stack, as
    they do in the exported config.

    Args:
        config: The host's ``config.json``.
        length: The longest row, in tokens.
        device: Where it runs.
        dtype: Of hidden states and weights.
    """

    def __init__(self, config: Mapping[str, Any], length: int, device: torch.device, dtype: torch.dtype) -> None:
        self.heads = int(config["num_attention_heads"])
        self.kv_heads = int(config.get("num_key_value_heads") or self.heads)
        self.head_dim = int(config.get("head_dim") or config["hidden_size"] // self.heads)
        self.eps = float(config["rms_norm_eps"])
        turns, scale = angles(config, self.head_dim, length)
        self._cos = (turns.cos() * scale).to(device=device, dtype=dtype)
        self._sin = (turns.sin() * scale).to(device=device, dtype=dtype)
        self._attend = CausalAttention(length, device, dtype)

    def begin(self, embedding: tuple[Tensor, ...], tokens: Tensor) -> Tensor:
        """Token rows (rows, length) to hidden states (rows, length, width)."""
        return embedding[0][tokens]

    def layer(self, weights: LayerWeights, hidden: Tensor) -> Tensor:
        """One layer at every position: (rows, length, width) to the same shape, in new memory."""
        query, key, value = self._heads_of(weights, hidden)
        mixed = self._attend(query, key, value)
        flat = mixed.transpose(1, 2).reshape(*hidden.shape[:2], -1)
        hidden = hidden + F.linear(flat, weights.out, weights.out_bias)
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
        mixed = self._attend(query.gather(2, index), key, value, slots)
        flat = mixed.transpose(1, 2).flatten(2)[used]
        kept = answers(hidden, slots, used)
        kept = kept.add_(F.linear(flat, weights.out, weights.out_bias))
        return kept.add_(self._mlp(weights, kept))

    def logits(self, ending: Ending, hidden: Tensor) -> Tensor:
        """(n, width) to (n, vocabulary)."""
        return F.linear(self._normed(hidden, ending.norm[0]), ending.head)

    def _heads_of(self, weights: LayerWeights, hidden: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, length, _ = hidden.shape
        mixed = F.linear(self._normed(hidden, weights.input_norm), weights.qkv, weights.qkv_bias)
        mixed = mixed.view(rows, length, -1, self.head_dim)
        turned = self._rotate(mixed[:, :, : self.heads + self.kv_heads])
        query, key = torch.split(turned, [self.heads, self.kv_heads], dim=2)
        value = mixed[:, :, self.heads + self.kv_heads :]
        return query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2)

    def _rotate(self, heads: Tensor) -> Tensor:
        """Rotary position embedding of (rows, length, heads, d), first half against second half."""
        length, half = heads.shape[1], self.head_dim // 2
        cos, sin = self._cos[:length, None], self._sin[:length, None]
        first, second = heads[..., :half], heads[..., half:]
        return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)

    def _mlp(self, weights: LayerWeights, hidden: Tensor) -> Tensor:
        gate, up = F.linear(self._normed(hidden, weights.mlp_norm), weights.gate_up).chunk(2, dim=-1)
        return F.linear(F.silu(gate).mul_(up), weights.down)

    def _normed(self, hidden: Tensor, gain: Tensor) -> Tensor:
        return F.rms_norm(hidden, (hidden.shape[-1],), gain, self.eps)
