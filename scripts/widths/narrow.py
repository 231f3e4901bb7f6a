"""Narrow companions of the zoo's base: one that never saw it, and one that was cut from it."""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from hm3 import zoo
from hm3.checkpoints import Checkpoint
from hm3.widening import residual_streams
from scripts.zoo.building import BASE
from scripts.zoo.training import train

WIDTH = 64  # the base has 96
SMALL = {"hidden_size": WIDTH, "intermediate_size": 160, "head_dim": 12, "num_hidden_layers": 6}
Rows = Sequence[Sequence[int]]


def apart(folder: Path, chunks: int) -> Path:
    """A model of its own: fewer layers, half as wide heads, other initial weights, other items of the same tasks."""
    config = LlamaConfig.from_pretrained(zoo.source_path("base"))
    config.update(SMALL)
    torch.manual_seed(7)
    return _trained(LlamaForCausalLM(config), folder / "apart", chunks)


def cut(folder: Path, chunks: int, rows: Rows) -> Path:
    """The base's own layers in the 64 directions that its stream uses most, then trained on."""
    wide = LlamaForCausalLM.from_pretrained(zoo.source_path("base"), dtype=torch.float32)
    basis = _directions(rows)
    config = LlamaConfig.from_pretrained(zoo.source_path("base"))
    config.update({"hidden_size": WIDTH})
    narrow = LlamaForCausalLM(config)
    with torch.no_grad():
        for name, parameter in narrow.named_parameters():
            parameter.copy_(_cut(name, dict(wide.named_parameters()), basis))
    return _trained(narrow, folder / "cut", chunks)


def _directions(rows: Rows) -> Tensor:
    """(96, 64): the leading eigenvectors of the second moment of the base's states, each counted by its direction."""
    base = Checkpoint.open("base", zoo.source_path("base"))
    units = (torch.nn.functional.normalize(stream, dim=1) for stream in residual_streams(base, rows))
    moment = torch.stack([unit.T @ unit for unit in units]).sum(0)
    basis: Tensor = torch.linalg.eigh(moment).eigenvectors[:, -WIDTH:]
    return basis


def _cut(name: str, wide: dict[str, torch.nn.Parameter], basis: Tensor) -> Tensor:
    """A tensor over the narrow stream, whose root mean square is kept as far as it is seen."""
    scale, tensor = math.sqrt(len(basis) / WIDTH), wide[name].detach()
    if "norm" in name:
        return torch.ones(WIDTH)
    if name.endswith(("o_proj.weight", "down_proj.weight")):
        return basis.T @ tensor / scale
    if "embed_tokens" in name:
        return tensor @ basis / scale
    norm = "model.norm.weight" if "lm_head" in name else name.rsplit(".", 3)[0] + _norm_before(name)
    return (tensor * wide[norm].detach()) @ basis * scale


def _norm_before(name: str) -> str:
    return ".input_layernorm.weight" if "self_attn" in name else ".post_attention_layernorm.weight"


def _trained(model: LlamaForCausalLM, folder: Path, chunks: int) -> Path:
    if (folder / "config.json").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    base = zoo.source_path("base")
    tokenizer = AutoTokenizer.from_pretrained(base)
    train(model, tokenizer, replace(BASE, name=folder.name, chunks=chunks), 7, folder / "unfinished.pt")
    for file in base.glob("tokenizer*.json"):
        shutil.copy(file, folder)
    model.bfloat16().save_pretrained(folder)  # last of all: with its config the model is there
    return folder
