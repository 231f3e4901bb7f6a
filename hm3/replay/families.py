"""The families whose stacks mergekit writes rightly, a row each; tests compare them with mergekit's own lists.

Of other families it writes the layer lists of the base model's config, or none, and then crashes or loses layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

VERSION = "0.1.5"  # of mergekit, whose behaviour is meant


@dataclass(frozen=True, slots=True)
class Replay:
    """What mergekit knows of a family.

    Attributes:
        architecture: The only entry of the config's ``architectures``.
        modules: The parts of a layer whose weights it takes along; it leaves out others without a word.
        head_optional: Whether the head may be tied to the embedding.
    """

    architecture: str
    modules: tuple[str, ...]
    head_optional: bool


_NORMS = ("input_layernorm", "post_attention_layernorm")
_ATTENTION = tuple(f"self_attn.{name}_proj" for name in "qkvo")
_SPLIT = (*_NORMS, *_ATTENTION, "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")
_FUSED = (*_NORMS, "self_attn.qkv_proj", "self_attn.o_proj", "mlp.gate_up_proj", "mlp.down_proj")

REPLAYS: Mapping[str, Replay] = {
    "llama": Replay("LlamaForCausalLM", _SPLIT, head_optional=True),
    "mistral": Replay("MistralForCausalLM", _SPLIT, head_optional=True),
    "phi3": Replay("Phi3ForCausalLM", _FUSED, head_optional=False),
}
