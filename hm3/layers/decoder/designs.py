"""The designs of the families that there are."""

from __future__ import annotations

from dataclasses import replace

from hm3.layers.decoder.design import Design
from hm3.layers.decoder.layout import Layout
from hm3.layers.decoder.pieces import all_heads, gelu_tanh, looked_up_times_root_width, offset_rms_norm

PRE_NORM = {"before_attention": "input_layernorm", "before_mlp": "post_attention_layernorm"}
POST_NORM = {"after_attention": "post_attention_layernorm", "after_mlp": "post_feedforward_layernorm"}
SANDWICH = {
    "before_attention": "input_layernorm",
    "after_attention": "post_attention_layernorm",
    "before_mlp": "pre_feedforward_layernorm",
    "after_mlp": "post_feedforward_layernorm",
}
HEAD_NORMS = {"query_norm": "self_attn.q_norm", "key_norm": "self_attn.k_norm"}

PLAIN = Design(Layout(PRE_NORM))
"""Llama's."""

NORMED_HEADS = Design(Layout(PRE_NORM | HEAD_NORMS))
"""Qwen3's."""

FUSED = Design(Layout(PRE_NORM, qkv=("self_attn.qkv_proj",), gate_up=("mlp.gate_up_proj",)), partly_turned=True)
"""Phi-3's."""

POST_NORMED = Design(Layout(POST_NORM | HEAD_NORMS), head_norm=all_heads)
"""OLMo-2's."""

GEMMA2 = Design(
    Layout(SANDWICH),
    norm=offset_rms_norm,
    embed=looked_up_times_root_width,
    activation=gelu_tanh,
    query_scalar="query_pre_attn_scalar",
    score_cap="attn_logit_softcapping",
    logit_cap="final_logit_softcapping",
)

GEMMA3 = replace(GEMMA2, layout=Layout(SANDWICH | HEAD_NORMS), score_cap=None)
"""Its configs may state a cap on scores; transformers does not use it."""
