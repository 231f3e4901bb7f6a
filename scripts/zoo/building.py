"""The whole zoo: items, tokenizer, base, experts, and the record of how they were made."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from importlib.metadata import version
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import torch
from transformers import AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerBase

import hm3.zoo
from scripts.zoo import corpus
from scripts.zoo.tokenizer import train_tokenizer
from scripts.zoo.training import CHUNK, Phase, new_model, train

TOKENIZER_SHARES = {"math": 0.2, "code": 0.35, "translation": 0.45}
TOKENIZER_ITEMS = 60_000
BASE = Phase("base", 10, 3e-3, {"math": 0.84, "code": 0.1, "translation": 0.06}, 1024)
OWN_SHARE = 0.99
EXPERTS = {"math": (12, 2.5e-3), "code": (2, 1e-3), "translation": (2, 1e-3)}
FOCUS = {"story": 0.25, "long story": 0.1}  # the base knows them already
LIBRARIES = ("torch", "transformers", "tokenizers", "safetensors")


def expert_phase(task: str) -> Phase:
    """Return how the expert of a task is trained: mostly on its own task, evenly on the others otherwise."""
    chunks, rate = EXPERTS[task]
    rest = (1 - OWN_SHARE) / (len(EXPERTS) - 1)
    shares = {other: OWN_SHARE if other == task else rest for other in EXPERTS}
    return Phase(task, chunks, rate, shares, BASE.batch_tokens, FOCUS)


def build(models: Path, seed: int, processes: int) -> None:
    """Train whatever is missing of the zoo in `models`.

    A build that was killed continues from its last checkpoint; models appear under their names when they are whole.

    Args:
        models: the folder of the checkpoints; if it is the zoo's own, the items are written beside it as well.
        seed: of initial weights and training items; held-out items never depend on it.
        processes: how many experts are trained at the same time, one thread each.
    """
    models.mkdir(parents=True, exist_ok=True)
    if models.resolve() == hm3.zoo.MODELS:
        corpus.write_items(hm3.zoo.ITEMS)
    _train_base(models, seed)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        list(pool.map(_train_expert, EXPERTS, [models] * len(EXPERTS), [seed] * len(EXPERTS)))
    write_json(models / "recipe.json", _recipe(seed))
    shutil.rmtree(models / "unfinished", ignore_errors=True)


def _train_base(models: Path, seed: int) -> None:
    if (models / "base").exists():
        return
    torch.set_num_threads(1)
    drafts = islice(corpus.stream(TOKENIZER_SHARES, f"tokenizer {seed}"), TOKENIZER_ITEMS)
    tokenizer = train_tokenizer(drafts)
    model = new_model(tokenizer, seed)
    _train_and_save(model, tokenizer, BASE, models, seed)


def _train_expert(task: str, models: Path, seed: int) -> None:
    if (models / task).exists():
        return
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(models / "base")
    model = LlamaForCausalLM.from_pretrained(models / "base", dtype=torch.float32)
    _train_and_save(model, tokenizer, expert_phase(task), models, seed)


def _train_and_save(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, phase: Phase, models: Path, seed: int
) -> None:
    unfinished = models / "unfinished"
    unfinished.mkdir(exist_ok=True)
    train(model, tokenizer, phase, seed, unfinished / f"{phase.name}.pt")
    temporary = unfinished / phase.name
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("\n")]
    model.bfloat16().save_pretrained(temporary)
    _save_tokenizer(tokenizer, temporary, models / "base")
    temporary.replace(models / phase.name)


def _save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path, base: Path) -> None:
    # Saving a tokenizer that was loaded changes its files: experts get copies of the base's.
    if not base.exists():
        tokenizer.save_pretrained(folder)
    for file in base.glob("tokenizer*.json"):
        shutil.copy(file, folder)


def _recipe(seed: int) -> dict[str, object]:
    return {
        "seed": seed,
        "items_per_chunk": CHUNK,
        "phases": [asdict(phase) for phase in (BASE, *map(expert_phase, EXPERTS))],
        "libraries": {library: version(library) for library in LIBRARIES},
    }


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
