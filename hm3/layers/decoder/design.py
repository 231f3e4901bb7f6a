"""How the layers of a family compute: what its row chooses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own convention

from hm3.layers.decoder.layout import Layout
from hm3.layers.decoder.pieces import Embed, HeadNorm, Norm, each_head, looked_up, rms_norm


@dataclass(frozen=True, slots=True)
class Design:
    """What differs between decoders with RMS norms, rotary attention and gated MLPs.

    Attributes:
        layout: The tensors' names; it says which norms there are.
        norm: How hidden states are normalised.
        head_norm: How queries and keys are, where the layout has norms for them.
        embed: Tokens to hidden states.
        activation: Of the MLP's gate.
        query_scalar: The config key of the number whose inverse root scales attention scores; None: the head's width.
        score_cap: The config key of the cap on attention scores, or None.
        logit_cap: The config key of the cap on logits, or None.
        partly_turned: Whether only the share ``partial_rotary_factor`` of a head is turned by its position.
    """

    layout: Layout
    norm: Norm = rms_norm
    head_norm: HeadNorm = each_head
    embed: Embed = looked_up
    activation: Callable[[Tensor], Tensor] = F.silu
    query_scalar: str | None = None
    score_cap: str | None = None
    logit_cap: str | None = None
    partly_turned: bool = False
