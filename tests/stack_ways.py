"""One stack, every way to run it: without a model, assembled, exported, and loaded again by transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch.nn import functional

from hm3.checkpoints import Checkpoint
from hm3.evaluation.rows import Row
from hm3.evaluation.scorer import StackScorer
from hm3.layers import LayerBank
from hm3.model_folder import write_model
from hm3.recipe import LayerRef, Recipe
from tests.tiny import write_checkpoint


def open_source(folder: Path, name: str, depth: int, seed: int, **shape: Any) -> Checkpoint:
    """A source whose gains and biases are random too, as a trained model's are."""
    raw = write_checkpoint(folder / f"raw {name}", depth=depth, seed=seed, **shape)
    path = write_checkpoint(folder / name, near=raw, noise=0.1, seed=seed + 100, depth=depth, **shape)
    return Checkpoint.open(name, path)


def recipe_of(
    checkpoints: Mapping[str, Checkpoint], layers: Sequence[str], embedding: str = "a", head: str = "a"
) -> Recipe:
    """A stack of layers such as ``b3``."""
    sources = {name: checkpoint.source for name, checkpoint in checkpoints.items()}
    return Recipe.build([LayerRef(layer[0], int(layer[1:])) for layer in layers], embedding, head, sources)


def bank_of(checkpoints: Mapping[str, Checkpoint], **options: Any) -> LayerBank:
    """A bank with these sources, in float32."""
    bank = LayerBank(torch.device("cpu"), torch.float32, **options)
    for checkpoint in checkpoints.values():
        bank.add(checkpoint.source.digest, checkpoint)
    return bank


def scored(bank: LayerBank, recipe: Recipe, rows: Sequence[Row]) -> list[float]:
    """Log-likelihoods without a model."""
    values: list[float] = StackScorer(bank, [rows], 0).score([recipe.content], 0).log_likelihood[0].tolist()
    return values


def reload(checkpoints: Mapping[str, Checkpoint], recipe: Recipe, path: Path) -> Any:
    """The exported stack as stock transformers loads it: `model`, and the loading `report`."""
    from transformers import AutoModelForCausalLM

    write_model(path, recipe, checkpoints, "card")
    model, report = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, output_loading_info=True)
    return SimpleNamespace(model=model, report=report)


def token_rows(count: int = 7, longest: int = 23) -> list[Row]:
    """Rows of many lengths, with answers of one to four tokens."""
    generator = torch.Generator().manual_seed(5)
    rows = []
    for i in range(count):
        length, answer = 2 + (i * 3) % longest, 1 + i % 4
        text = torch.randint(4, 128, (max(length, answer) + 1,), generator=generator).tolist()
        rows.append(Row(tuple(text[:-1]), tuple(text[-answer:])))
    return rows


@torch.no_grad()
def log_likelihoods(model: Any, rows: Sequence[Row]) -> list[float]:
    """Each row's, by a transformers model, one row at a time."""
    return [_log_likelihood(model, row) for row in rows]


def _log_likelihood(model: Any, row: Row) -> float:
    chances = functional.log_softmax(model(torch.tensor([row.tokens])).logits[0], dim=-1)
    places = chances[-len(row.answer) :]
    return float(places.gather(1, torch.tensor(row.answer)[:, None]).sum())


def greedy_texts(models: Sequence[Any], tokens: int = 32) -> list[list[int]]:
    """What each model writes, with its cache and without."""
    prompt = torch.tensor([[1, 40, 50, 60]])
    options = {"max_new_tokens": tokens, "min_new_tokens": tokens, "do_sample": False}
    return [
        model.generate(prompt, use_cache=cache, **options)[0].tolist() for model in models for cache in (True, False)
    ]
