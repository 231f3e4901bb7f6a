"""What the fields of a config are to a stack; a field that is in no list here is a scalar."""

from __future__ import annotations

FIXED = (
    "model_type",
    # widths of tensors
    "hidden_size", "n_embd", "intermediate_size", "n_inner", "head_dim", "n_positions", "moe_intermediate_size",
    "shared_expert_intermediate_size",
    # heads and experts
    "num_attention_heads", "n_head", "num_key_value_heads", "num_local_experts", "num_experts",
    # which functions a layer is made of
    "hidden_act", "hidden_activation", "activation_function", "attention_bias", "mlp_bias", "qkv_bias",
    "use_parallel_residual", "add_cross_attention", "scale_attn_weights", "scale_attn_by_inverse_layer_idx",
    "use_sliding_window", "use_bidirectional_attention",
)  # fmt: skip
"""What layers of one model must share, whatever `on_mismatch` says; a scalar is all the others."""

PER_LAYER = (
    "num_hidden_layers", "n_layer", "layer_types", "mlp_layer_types", "no_rope_layers", "max_window_layers",
    "no_rope_layer_interval", "sliding_window_pattern", "_sliding_window_pattern", "decoder_sparse_step",
    "mlp_only_layers",
)  # fmt: skip
"""The depth, and what a stack takes from each layer's own source."""

ENDS = ("vocab_size", "tie_word_embeddings")
"""What embedding and head decide; see `vocabulary`."""

NEUTRAL = (
    "attention_dropout", "attn_pdrop", "classifier_dropout", "embd_pdrop", "hidden_dropout", "resid_pdrop",
    "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj",
    "bos_token_id", "eos_token_id", "pad_token_id", "sep_token_id",
    "initializer_range", "is_decoder", "output_router_logits", "pretraining_tp", "router_aux_loss_coef",
    "router_jitter_noise", "use_cache",
)  # fmt: skip
"""What changes no logit: training, generation, memory. So is everything that configs of all families have."""

LENGTHS = ("max_position_embeddings", "original_max_position_embeddings")
"""The longest input that was trained on: changes no logit, unless rotary frequencies are stretched to it."""

UNSTATED = ("head_dim", "partial_rotary_factor")
"""What stock models read though their configs don't list it."""
