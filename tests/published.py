"""Checkpoints as they lie on the Hub, in small: ``published_configs`` has the keys and spellings of published models.

Most were written by transformers 4, each by another version of it. A file there is called as its model, and holds the
JSON files of its repository with four layers and widths of a few dozen. Weights are random, in the type that the config
states, under the names and beside the tables of the published files.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import save_torch_state_dict
from torch import Tensor

from hm3.checkpoints import Checkpoint
from tests.tiny import write_tokenizer

_FOLDER = Path(__file__).parent / "published_configs"
PUBLISHED = sorted(file.stem for file in _FOLDER.glob("*.json"))
LONGEST = {"Llama-with-dynamic-scaling": 16, "Phi-3-mini-128k-instruct": 16, "Phi-4-mini-instruct": 16}
"""Model -> the longest row whose rotary angles are those of any shorter one."""

DEPTH = 4
_NOISE = 0.1  # on every parameter: new models have gains of 1 and biases of 0, trained ones have not
_TABLES: Mapping[str, Callable[[int], dict[str, Tensor]]] = {
    "gpt2": lambda layer: {f"h.{layer}.attn.bias": torch.ones(1, 1, 64, 64).tril()},
    "pythia-160m": lambda layer: {
        f"gpt_neox.layers.{layer}.attention.bias": torch.ones(1, 1, 64, 64, dtype=torch.bool).tril(),
        f"gpt_neox.layers.{layer}.attention.masked_bias": torch.tensor(-1e9, dtype=torch.float32),
        f"gpt_neox.layers.{layer}.attention.rotary_emb.inv_freq": torch.ones(1),
    },
    "Llama-2-7b-hf": lambda layer: {f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": torch.ones(4)},
}


def published_files(name: str, depth: int = DEPTH) -> dict[str, dict[str, Any]]:
    """The JSON files of a model with so many layers, by name."""
    files: dict[str, dict[str, Any]] = json.loads((_FOLDER / f"{name}.json").read_text())
    config = files["config.json"]
    config["n_layer" if "n_layer" in config else "num_hidden_layers"] = depth
    lists = [key for key in ("layer_types", "no_rope_layers") if key in config]
    return {**files, "config.json": config | {key: config[key][:depth] for key in lists}}


def write_published(
    folder: Path, name: str, *, depth: int = DEPTH, seed: int = 0, shard: str = "40KB", **changes: Any
) -> Checkpoint:
    """A model's folder, opened.

    Args:
        folder: Where; made if need be.
        name: The model.
        depth: Its number of layers, at most four.
        seed: Of the weights.
        shard: Most bytes of a weight file.
        changes: Other values of its config.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = published_files(name, depth)
    files["config.json"] |= changes
    for file, content in files.items():
        (folder / file).write_text(json.dumps(content))
    tables = [_TABLES[name](layer) for layer in range(depth)] if name in _TABLES else []
    tensors = {_stored(name, key): tensor for key, tensor in _weights(folder, seed).items()}
    tensors |= {key: table for each in tables for key, table in each.items()}
    save_torch_state_dict(tensors, folder, max_shard_size=shard)
    write_tokenizer(folder)
    return Checkpoint.open(folder.name, folder)


@torch.no_grad()
def _weights(folder: Path, seed: int) -> dict[str, Tensor]:
    """Random weights for the config in `folder`, by the names that transformers writes."""
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(folder)
    with torch.random.fork_rng(devices=[]), tempfile.TemporaryDirectory() as raw:
        torch.manual_seed(seed)
        model: Any = AutoModelForCausalLM.from_config(config, dtype=config.dtype or torch.float32)
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter, dtype=torch.float32).to(parameter.dtype), alpha=_NOISE)
        model.save_pretrained(raw)
        return load_file(Path(raw) / "model.safetensors")


def _stored(model: str, name: str) -> str:
    """What the published file calls it."""
    return name.removeprefix("transformer.") if model == "gpt2" else name
