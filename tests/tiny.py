"""Tiny random checkpoints of any family, with a small real tokenizer: what tests merge, stack and score."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import CONFIG_MAPPING, AutoModelForCausalLM, PreTrainedTokenizerFast

SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
CHARACTERS = "".join(map(chr, range(32, 127)))


def write_tokenizer(folder: Path, *, vocabulary: int = 128) -> None:
    """A character tokenizer of `vocabulary` entries that puts ``<s>`` first by itself."""
    entries = [*SPECIAL, *CHARACTERS]
    entries += [f"<extra{i}>" for i in range(vocabulary - len(entries))]
    ids = {entry: i for i, entry in enumerate(entries[:vocabulary])}
    tokenizer = Tokenizer(models.BPE(vocab=ids, merges=[], unk_token="<unk>"))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", ids["<s>"])])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    fast.save_pretrained(folder)


def write_checkpoint(
    folder: Path,
    *,
    family: str = "llama",
    depth: int = 4,
    width: int = 32,
    vocabulary: int = 128,
    seed: int = 0,
    dtype: torch.dtype = torch.bfloat16,
    tied: bool = False,
    tokenizer: bool = True,
    shard_size: str = "1GB",
    near: Path | None = None,
    noise: float = 0.02,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Write a random checkpoint that stock transformers loads.

    Args:
        folder: Where; made if need be.
        family: `model_type` of transformers: ``llama``, ``qwen2``, ``mistral`` ...
        depth: Number of layers.
        width: Hidden size; 4 heads (2 for keys and values) and an MLP of twice the width.
        vocabulary: Entries of embedding and tokenizer.
        seed: Of the weights; the caller's generator is left as it was.
        dtype: Of the weights.
        tied: Whether embedding and head are one tensor.
        tokenizer: Whether to write the tokenizer's files.
        shard_size: transformers' `max_shard_size`.
        near: A checkpoint of the same shape: the weights are its own plus noise, as a fine-tuned model's are.
        noise: Standard deviation of that noise.
        settings: More keys of the configuration, or other values.

    Returns:
        `folder`.
    """
    shape = {**_shape(depth, width, vocabulary), "tie_word_embeddings": tied, **(settings or {})}
    config = CONFIG_MAPPING[family](**shape)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if near is None:
            model = AutoModelForCausalLM.from_config(config, dtype=dtype)
        else:
            model = AutoModelForCausalLM.from_pretrained(near, dtype=dtype)
            _disturb(model, noise)
    model.save_pretrained(folder, max_shard_size=shard_size)
    if tokenizer:
        write_tokenizer(folder, vocabulary=vocabulary)
    return folder


def write_family(folder: Path, experts: tuple[str, ...] = ("math", "code", "prose"), **shape: Any) -> dict[str, Path]:
    """A ``base`` and experts near it, each in its own folder: name -> path."""
    base = write_checkpoint(folder / "base", **shape)
    paths = {"base": base}
    for seed, name in enumerate(experts, start=1):
        paths[name] = write_checkpoint(folder / name, **{**shape, "seed": seed, "near": base})
    return paths


def edit_config(folder: Path, **changes: Any) -> Path:
    """Change keys of a checkpoint's config.json; a value of None removes its key."""
    file = folder / "config.json"
    config = {**json.loads(file.read_text()), **changes}
    file.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    return folder


def _shape(depth: int, width: int, vocabulary: int) -> dict[str, Any]:
    return {
        "num_hidden_layers": depth,
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": width // 4,
        "vocab_size": vocabulary,
        "max_position_embeddings": 256,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


@torch.no_grad()
def _disturb(model: torch.nn.Module, noise: float) -> None:
    for parameter in model.parameters():
        parameter.add_(torch.randn_like(parameter, dtype=torch.float32).to(parameter.dtype), alpha=noise)
