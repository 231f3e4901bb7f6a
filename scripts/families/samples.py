"""Small models of every family, from the family's own config class; every special feature of it is switched on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from hm3 import zoo
from hm3.checkpoints import Checkpoint

WINDOW = 8  # shorter than the rows, so that it matters
NOISE = 0.1  # on every parameter: new models have gains of 1 and biases of 0, trained ones have not
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json")

Settings = Callable[[int], Mapping[str, Any]]


def _nothing(depth: int) -> Mapping[str, Any]:
    return {}


def _alternating(depth: int) -> list[str]:
    return ["full_attention" if layer % 2 else "sliding_attention" for layer in range(depth)]


@dataclass(frozen=True, slots=True)
class Sample:
    """A family, small.

    Attributes:
        name: What the table calls it.
        model_type: Of its config.
        settings: Of a depth: the config's settings beside the shape.
        tied: Whether its models tie head and embedding.
    """

    name: str
    model_type: str
    settings: Settings = _nothing
    tied: bool = False


def _gemma(depth: int) -> Mapping[str, Any]:
    return {"sliding_window": WINDOW, "layer_types": _alternating(depth), "query_pre_attn_scalar": 12}


def _qwen2_window(depth: int) -> Mapping[str, Any]:
    return {"use_sliding_window": True, "sliding_window": WINDOW, "layer_types": _alternating(depth)}


def _smollm3(depth: int) -> Mapping[str, Any]:
    return {"no_rope_layers": [layer % 2 for layer in range(depth)]}


def _experts(depth: int) -> Mapping[str, Any]:
    return {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24, "norm_topk_prob": True}


def _experts_and_window(depth: int) -> Mapping[str, Any]:
    return {**_experts(depth), **_qwen2_window(depth), "shared_expert_intermediate_size": 40}


def _mixtral(depth: int) -> Mapping[str, Any]:
    return {"num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": WINDOW}


def _old_shape(depth: int) -> Mapping[str, Any]:
    return {"n_layer": depth, "n_embd": 32, "n_head": 4, "n_positions": 256}


SAMPLES = (
    Sample("Llama", "llama"),
    Sample("Llama, tied", "llama", tied=True),
    Sample("Mistral, sliding window", "mistral", lambda depth: {"sliding_window": WINDOW}),
    Sample("Qwen2", "qwen2"),
    Sample("Qwen2, tied, sliding window", "qwen2", _qwen2_window, tied=True),
    Sample("Qwen3", "qwen3", tied=True),
    Sample("Phi-3", "phi3", lambda depth: {"sliding_window": WINDOW, "pad_token_id": 0}),
    Sample("Gemma-2", "gemma2", _gemma, tied=True),
    Sample("Gemma-3 (text)", "gemma3_text", _gemma, tied=True),
    Sample("SmolLM3", "smollm3", _smollm3, tied=True),
    Sample("OLMo-2", "olmo2"),
    Sample("GPT-NeoX", "gpt_neox", lambda depth: {"rotary_pct": 0.5}),
    Sample("GPT-2", "gpt2", _old_shape, tied=True),
    Sample("Mixtral, sliding window", "mixtral", _mixtral),
    Sample("Qwen3-MoE", "qwen3_moe", _experts),
    Sample("Qwen2-MoE, sliding window", "qwen2_moe", _experts_and_window),
)


def write_source(folder: Path, sample: Sample, *, depth: int, seed: int) -> Checkpoint:
    """A random checkpoint of a family with the zoo's tokenizer, written by stock transformers.

    Args:
        folder: Where; made if need be.
        sample: The family.
        depth: Number of layers.
        seed: Of the weights.
    """
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    shape: dict[str, Any] = {**_shape(depth), **sample.settings(depth), "tie_word_embeddings": sample.tied}
    config = CONFIG_MAPPING[sample.model_type](**shape)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model: Any = AutoModelForCausalLM.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=NOISE)
    model.save_pretrained(folder)
    for name in _TOKENIZER:
        (folder / name).write_bytes((zoo.source_path("base") / name).read_bytes())
    return Checkpoint.open(folder.name, folder)


def _shape(depth: int) -> dict[str, Any]:
    base = Checkpoint.open("base", zoo.source_path("base")).config
    return {
        "num_hidden_layers": depth,
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 256,
        **{key: base[key] for key in ("vocab_size", "bos_token_id", "eos_token_id", "pad_token_id")},
    }
