"""Configs as they lie on the Hub: the keys and spellings of published models, at a thousandth of the size.

Most were written by transformers 4, each by another version of it. What stock transformers 5 makes of them is what a
stack must make of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Config = Mapping[str, Any]

WINDOW = 8
STRETCH = 16  # up to here the short factors of a stretched context hold


@dataclass(frozen=True, slots=True)
class Published:
    """A published model in small.

    Attributes:
        name: Its name on the Hub.
        config: Of a depth: its ``config.json``.
        generation: Its ``generation_config.json``; empty where it has none.
        stored: Of a tensor's name today: its name in the published file.
        tables: Of a depth: names and shapes of what the file holds beside weights.
        longest: The longest row whose angles don't depend on the row; longer ones are refused.
    """

    name: str
    config: Callable[[int], Config]
    generation: Config = field(default_factory=dict)
    stored: Callable[[str], str] = str
    tables: Callable[[int], Mapping[str, tuple[int, ...]]] = lambda depth: {}
    longest: int | None = None


def _sizes(depth: int) -> dict[str, Any]:
    return {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_attention_heads": 4,
        "num_hidden_layers": depth,
        "num_key_value_heads": 2,
        "vocab_size": 128,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "initializer_range": 0.02,
        "use_cache": True,
        "attention_dropout": 0.0,
    }


def _llama(depth: int) -> dict[str, Any]:
    return {
        **_sizes(depth),
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "attention_bias": False,
        "rms_norm_eps": 1e-05,
        "rope_scaling": None,
        "tie_word_embeddings": False,
        "torch_dtype": "float16",
    }


def _llama_2(depth: int) -> Config:
    plain = {key: value for key, value in _llama(depth).items() if key not in ("attention_bias", "attention_dropout")}
    return {
        **plain,
        "_name_or_path": "meta-llama/Llama-2-7b-hf",
        "max_position_embeddings": 4096,
        "num_key_value_heads": 4,
        "pretraining_tp": 1,
        "transformers_version": "4.31.0.dev0",
    }


def _llama_3(depth: int) -> Config:
    return {
        **_llama(depth),
        "eos_token_id": [2, 100, 101],
        "head_dim": 8,
        "max_position_embeddings": 131072,
        "mlp_bias": False,
        "pretraining_tp": 1,
        "rope_scaling": {
            "factor": 32.0,
            "high_freq_factor": 4.0,
            "low_freq_factor": 1.0,
            "original_max_position_embeddings": 8192,
            "rope_type": "llama3",
        },
        "rope_theta": 500000.0,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.45.0.dev0",
    }


def _tinyllama(depth: int) -> Config:
    return {
        **_llama(depth),
        "max_position_embeddings": 2048,
        "pretraining_tp": 1,
        "rope_theta": 10000.0,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.35.0",
    }


def _linear(depth: int) -> Config:
    """Vicuna's 16k models and many others."""
    return {**_llama_2(depth), "rope_scaling": {"factor": 4.0, "type": "linear"}, "max_sequence_length": 16384}


def _dynamic(depth: int) -> Config:
    return {**_llama_2(depth), "rope_scaling": {"factor": 2.0, "type": "dynamic"}, "max_position_embeddings": STRETCH}


def _mistral(window: int | None) -> Callable[[int], Config]:
    return lambda depth: {
        **_sizes(depth),
        "architectures": ["MistralForCausalLM"],
        "model_type": "mistral",
        "hidden_act": "silu",
        "max_position_embeddings": 32768,
        "rms_norm_eps": 1e-05,
        "rope_theta": 1000000.0,
        "sliding_window": window,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.34.0.dev0",
    }


def _qwen2(depth: int) -> dict[str, Any]:
    return {
        **_sizes(depth),
        "architectures": ["Qwen2ForCausalLM"],
        "model_type": "qwen2",
        "hidden_act": "silu",
        "max_position_embeddings": 32768,
        "max_window_layers": 2,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0,
        "sliding_window": WINDOW,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.40.1",
        "use_mrope": False,
        "use_sliding_window": False,
    }


def _qwen2_math(depth: int) -> Config:
    shape = {"max_position_embeddings": 4096, "rope_theta": 10000, "max_window_layers": depth}
    return {**{key: value for key, value in _qwen2(depth).items() if key != "use_mrope"}, **shape}


def _qwen2_yarn(depth: int) -> Config:
    """As its model card says to write for long texts."""
    scaling = {"factor": 4.0, "original_max_position_embeddings": 32768, "type": "yarn"}
    return {**_qwen2(depth), "rope_scaling": scaling, "tie_word_embeddings": False}


def _qwen2_window(depth: int) -> Config:
    """From the first versions: the window begins at a layer."""
    return {**_qwen2(depth), "use_sliding_window": True, "tie_word_embeddings": False}


def _qwen3(depth: int) -> dict[str, Any]:
    return {
        **_sizes(depth),
        "architectures": ["Qwen3ForCausalLM"],
        "attention_bias": False,
        "head_dim": 16,
        "hidden_act": "silu",
        "max_position_embeddings": 40960,
        "max_window_layers": depth,
        "model_type": "qwen3",
        "rms_norm_eps": 1e-06,
        "rope_scaling": None,
        "rope_theta": 1000000,
        "sliding_window": None,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.51.0",
        "use_sliding_window": False,
    }


def _phi3(depth: int) -> dict[str, Any]:
    """Without ``auto_map``, which is refused."""
    return {
        **_sizes(depth),
        "_name_or_path": "Phi-3-mini-4k-instruct",
        "architectures": ["Phi3ForCausalLM"],
        "attention_bias": False,
        "embd_pdrop": 0.0,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "max_position_embeddings": 4096,
        "model_type": "phi3",
        "num_key_value_heads": 4,
        "original_max_position_embeddings": 4096,
        "pad_token_id": 0,
        "resid_pdrop": 0.0,
        "rms_norm_eps": 1e-05,
        "rope_scaling": None,
        "rope_theta": 10000.0,
        "sliding_window": WINDOW,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.40.2",
    }


def _phi3_long(kind: str) -> Callable[[int], Config]:
    factors = {"long_factor": [1.1, 2.2, 9.5, 64.0], "short_factor": [1.0, 1.05, 1.4, 2.6]}
    return lambda depth: {
        **_phi3(depth),
        "max_position_embeddings": 512,
        "original_max_position_embeddings": STRETCH,
        "rope_scaling": {**factors, "type": kind},
        "sliding_window": 1024,
    }


def _phi4(depth: int) -> Config:
    factors = {"long_factor": [1.0, 4.5, 40.0], "short_factor": [1.0, 1.0, 1.0]}
    return {
        **_phi3_long("longrope")(depth),
        "full_attn_mod": 1,
        "interpolate_factor": 1,
        "lm_head_bias": False,
        "mlp_bias": False,
        "num_key_value_heads": 2,
        "partial_rotary_factor": 0.75,
        "rope_scaling": {**factors, "type": "longrope"},
        "tie_word_embeddings": True,
        "transformers_version": "4.45.0",
    }


def _gemma2(depth: int) -> Config:
    return {
        **_sizes(depth),
        "architectures": ["Gemma2ForCausalLM"],
        "attention_bias": False,
        "attn_logit_softcapping": 5.0,
        "cache_implementation": "hybrid",
        "final_logit_softcapping": 3.0,
        "head_dim": 16,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 8192,
        "model_type": "gemma2",
        "pad_token_id": 0,
        "query_pre_attn_scalar": 24,
        "rms_norm_eps": 1e-06,
        "rope_theta": 10000.0,
        "sliding_window": WINDOW,
        "torch_dtype": "float32",
        "transformers_version": "4.42.4",
    }


def _gemma3(depth: int) -> dict[str, Any]:
    return {
        **_sizes(depth),
        "architectures": ["Gemma3ForCausalLM"],
        "attention_bias": False,
        "attn_logit_softcapping": None,
        "cache_implementation": "hybrid",
        "eos_token_id": [2, 106],
        "final_logit_softcapping": None,
        "head_dim": 16,
        "hidden_activation": "gelu_pytorch_tanh",
        "max_position_embeddings": 32768,
        "model_type": "gemma3_text",
        "num_key_value_heads": 1,
        "pad_token_id": 0,
        "query_pre_attn_scalar": 24,
        "rms_norm_eps": 1e-06,
        "rope_local_base_freq": 10000,
        "rope_scaling": None,
        "rope_theta": 1000000,
        "sliding_window": WINDOW,
        "sliding_window_pattern": 2,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.50.0.dev0",
    }


def _gemma3_linear(depth: int) -> Config:
    """The text part of the larger ones, saved alone."""
    return {**_gemma3(depth), "rope_scaling": {"factor": 8.0, "rope_type": "linear"}}


def _smollm3(depth: int) -> Config:
    return {
        **_sizes(depth),
        "architectures": ["SmolLM3ForCausalLM"],
        "attention_bias": False,
        "hidden_act": "silu",
        "layer_types": ["full_attention"] * depth,
        "max_position_embeddings": 65536,
        "max_window_layers": 28,
        "mlp_bias": False,
        "model_type": "smollm3",
        "no_rope_layer_interval": 2,
        "no_rope_layers": [layer % 2 for layer in range(1, depth + 1)],
        "pad_token_id": 0,
        "pretraining_tp": 2,
        "rms_norm_eps": 1e-06,
        "rope_scaling": None,
        "rope_theta": 5000000.0,
        "sliding_window": None,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.54.0.dev0",
        "use_sliding_window": False,
    }


def _olmo2(depth: int) -> Config:
    return {
        **_sizes(depth),
        "architectures": ["Olmo2ForCausalLM"],
        "attention_bias": False,
        "bos_token_id": None,
        "hidden_act": "silu",
        "max_position_embeddings": 4096,
        "model_type": "olmo2",
        "num_key_value_heads": 4,
        "pad_token_id": 0,
        "rms_norm_eps": 1e-06,
        "rope_scaling": None,
        "rope_theta": 500000,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "transformers_version": "4.47.0",
    }


def _pythia(depth: int) -> Config:
    kept = ("hidden_size", "initializer_range", "num_attention_heads", "num_hidden_layers", "use_cache", "vocab_size")
    return {
        **{key: _sizes(depth)[key] for key in kept},
        "architectures": ["GPTNeoXForCausalLM"],
        "bos_token_id": 0,
        "eos_token_id": 0,
        "hidden_act": "gelu",
        "intermediate_size": 128,
        "layer_norm_eps": 1e-05,
        "max_position_embeddings": 64,
        "model_type": "gpt_neox",
        "rotary_emb_base": 10000,
        "rotary_pct": 0.25,
        "tie_word_embeddings": False,
        "torch_dtype": "float16",
        "transformers_version": "4.24.0",
        "use_parallel_residual": True,
    }


def _pythia_tables(depth: int) -> Mapping[str, tuple[int, ...]]:
    tables = {"bias": (1, 1, 64, 64), "masked_bias": (), "rotary_emb.inv_freq": (1,)}
    return {
        f"gpt_neox.layers.{layer}.attention.{name}": shape for layer in range(depth) for name, shape in tables.items()
    }


def _gpt2(depth: int) -> Config:
    return {
        "activation_function": "gelu_new",
        "architectures": ["GPT2LMHeadModel"],
        "attn_pdrop": 0.1,
        "bos_token_id": 127,
        "embd_pdrop": 0.1,
        "eos_token_id": 127,
        "initializer_range": 0.02,
        "layer_norm_epsilon": 1e-05,
        "model_type": "gpt2",
        "n_ctx": 64,
        "n_embd": 32,
        "n_head": 4,
        "n_layer": depth,
        "n_positions": 64,
        "resid_pdrop": 0.1,
        "summary_activation": None,
        "summary_first_dropout": 0.1,
        "summary_proj_to_labels": True,
        "summary_type": "cls_index",
        "summary_use_proj": True,
        "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
        "vocab_size": 128,
    }


def _gpt2_tables(depth: int) -> Mapping[str, tuple[int, ...]]:
    return {f"h.{layer}.attn.bias": (1, 1, 64, 64) for layer in range(depth)}


def _mixtral(depth: int) -> Config:
    return {
        **_sizes(depth),
        "architectures": ["MixtralForCausalLM"],
        "hidden_act": "silu",
        "max_position_embeddings": 32768,
        "model_type": "mixtral",
        "num_experts_per_tok": 2,
        "num_local_experts": 4,
        "output_router_logits": False,
        "rms_norm_eps": 1e-05,
        "rope_theta": 1000000.0,
        "router_aux_loss_coef": 0.02,
        "router_jitter_noise": 0.0,
        "sliding_window": None,
        "tie_word_embeddings": False,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.36.0.dev0",
    }


def _qwen2_moe(depth: int) -> Config:
    return {
        **_qwen2(depth),
        "architectures": ["Qwen2MoeForCausalLM"],
        "decoder_sparse_step": 1,
        "max_window_layers": 2,
        "model_type": "qwen2_moe",
        "moe_intermediate_size": 24,
        "norm_topk_prob": False,
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "num_key_value_heads": 4,
        "output_router_logits": False,
        "router_aux_loss_coef": 0.001,
        "shared_expert_intermediate_size": 40,
        "tie_word_embeddings": False,
    }


def _qwen3_moe(depth: int) -> Config:
    return {
        **_qwen3(depth),
        "architectures": ["Qwen3MoeForCausalLM"],
        "decoder_sparse_step": 1,
        "mlp_only_layers": [],
        "model_type": "qwen3_moe",
        "moe_intermediate_size": 24,
        "norm_topk_prob": True,
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "output_router_logits": False,
        "router_aux_loss_coef": 0.001,
        "tie_word_embeddings": False,
    }


def _pythia_name(name: str) -> str:
    return "embed_out.weight" if name == "lm_head.weight" else name


_SAMPLED = {"do_sample": True, "temperature": 0.6, "top_p": 0.9}
_ENDS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
_WORDY = {**_ENDS, **_SAMPLED, "_from_model_config": True, "max_length": 4096, "transformers_version": "4.31.0.dev0"}
_HALF_SAMPLED = {**_ENDS, "temperature": 0.9, "top_p": 0.6}  # transformers calls it invalid and refuses to save it
_QWEN = {**_ENDS, **_SAMPLED, "eos_token_id": [2, 0], "repetition_penalty": 1.1, "top_k": 20}
_GREEDY = {"bos_token_id": 1, "do_sample": False, "eos_token_id": 2, "max_new_tokens": 2048}
_GEMMA = {**_ENDS, "_from_model_config": True, "cache_implementation": "hybrid"}

PUBLISHED = (
    Published("Llama-2-7b-hf", _llama_2, _WORDY),
    Published("Llama-2-7b before its repair", _llama_2, _HALF_SAMPLED),
    Published("Llama-3.2-1B-Instruct", _llama_3, {**_SAMPLED, "bos_token_id": 1, "eos_token_id": [2, 100, 101]}),
    Published("TinyLlama-1.1B-Chat-v1.0", _tinyllama, {**_ENDS, "max_length": 2048}),
    Published("vicuna-7b-v1.5-16k", _linear, _HALF_SAMPLED),
    Published("Llama with dynamic scaling", _dynamic, longest=STRETCH),
    Published("Mistral-7B-v0.1", _mistral(WINDOW), {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2}),
    Published("Mistral-7B-v0.3", _mistral(None)),
    Published("Qwen2.5-0.5B", _qwen2, _GREEDY),
    Published("Qwen2.5-Math-1.5B", _qwen2_math, _QWEN),
    Published("Qwen2.5-7B-Instruct, long", _qwen2_yarn, _QWEN),
    Published("Qwen2, windows switched on", _qwen2_window, _QWEN),
    Published("Qwen3-0.6B", _qwen3, _QWEN),
    Published("Phi-3-mini-4k-instruct", _phi3, {**_ENDS, "eos_token_id": [2, 3, 4]}),
    Published("Phi-3-mini-128k-instruct", _phi3_long("longrope"), longest=STRETCH),
    Published("Phi-3-mini-128k-instruct, first", _phi3_long("su"), longest=STRETCH),
    Published("Phi-4-mini-instruct", _phi4, longest=STRETCH),
    Published("gemma-2-2b", _gemma2, _GEMMA),
    Published("gemma-3-1b-it", _gemma3, {**_SAMPLED, "cache_implementation": "hybrid", "eos_token_id": [2, 106]}),
    Published("gemma-3-4b-it, its text model", _gemma3_linear, _GEMMA),
    Published("SmolLM3-3B", _smollm3, {**_ENDS, **_SAMPLED}),
    Published("OLMo-2-0425-1B", _olmo2, {"_from_model_config": True, "eos_token_id": 2, "pad_token_id": 0}),
    Published("pythia-160m", _pythia, stored=_pythia_name, tables=_pythia_tables),
    Published("gpt2", _gpt2, stored=lambda name: name.removeprefix("transformer."), tables=_gpt2_tables),
    Published("Mixtral-8x7B-v0.1", _mixtral, {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2}),
    Published("Qwen1.5-MoE-A2.7B", _qwen2_moe, _GREEDY),
    Published("Qwen3-30B-A3B", _qwen3_moe, _QWEN),
)
