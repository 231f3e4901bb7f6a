"""Families whose residual stream can be carried to another width: what each tensor of a layer does to it.

Such a family reads the stream only through an RMSNorm whose gain multiplies, and adds to it directly. A norm that
subtracts a mean, stands after the block, or counts its gain from 1, and experts behind a router, are no rows here.
"""

from __future__ import annotations

from collections.abc import Mapping

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.widening.roles import Filled, Norm, Reader, Role, Writer, WriterBias

BEFORE_ATTENTION, BEFORE_MLP = "input_layernorm", "post_attention_layernorm"

# Attention divides by the square root of the heads' width: in wider heads queries grow, by that of the ratio.
PLAIN: Mapping[str, Role] = {
    "input_layernorm.weight": Norm(),
    "self_attn.q_proj.weight": Reader(BEFORE_ATTENTION, "query", power=1),
    "self_attn.k_proj.weight": Reader(BEFORE_ATTENTION, "key"),
    "self_attn.v_proj.weight": Reader(BEFORE_ATTENTION, "key"),
    "self_attn.q_proj.bias": Filled("query", power=1),
    "self_attn.k_proj.bias": Filled("key"),
    "self_attn.v_proj.bias": Filled("key"),
    "self_attn.o_proj.weight": Writer("query"),
    "self_attn.o_proj.bias": WriterBias(),
    "post_attention_layernorm.weight": Norm(),
    "mlp.gate_proj.weight": Reader(BEFORE_MLP, "inner"),
    "mlp.up_proj.weight": Reader(BEFORE_MLP, "inner"),
    "mlp.down_proj.weight": Writer("inner"),
}

# Norms within heads divide by the heads' width too: queries and keys both grow before their norm, which keeps the
# mean square that it sees, epsilon included; then one of them shrinks.
NORMED_HEADS: Mapping[str, Role] = {
    **PLAIN,
    "self_attn.k_proj.weight": Reader(BEFORE_ATTENTION, "key", power=1),
    "self_attn.k_proj.bias": Filled("key", power=1),
    "self_attn.q_norm.weight": Filled("head"),
    "self_attn.k_norm.weight": Filled("head", power=-1),
}

FAMILIES: Mapping[str, Mapping[str, Role]] = {
    "llama": PLAIN,
    "mistral": PLAIN,
    "qwen2": PLAIN,
    "qwen3": NORMED_HEADS,
    "smollm3": PLAIN,
}


def roles_of(source: Checkpoint) -> Mapping[str, Role]:
    """The roles of a layer's tensors, by the names that they have after the layer's prefix.

    Raises:
        CheckpointError: The source is of another family.
    """
    if source.model_type not in FAMILIES:
        rule = f"a family whose blocks read through one RMSNorm and add directly ({', '.join(FAMILIES)})"
        raise CheckpointError(f"source {source.name}: for another width, {rule}, got {source.model_type!r}")
    return FAMILIES[source.model_type]
