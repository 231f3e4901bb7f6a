"""One phase of training: a model, a mixture of tasks, a learning rate; resumable."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from math import cos, pi
from pathlib import Path
from random import Random

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from scripts.zoo.corpus import stream
from scripts.zoo.scoring import Encoded, batches, encode, pad
from scripts.zoo.tokenizer import MAX_LENGTH

CHUNK = 8192
PROMPT_WEIGHT = 0.05
WARM_UP = 0.05
FINAL_RATE = 0.05
Optimizers = tuple[torch.optim.Optimizer, ...]


@dataclass(frozen=True)
class Phase:
    """What one phase of training consists of.

    Attributes:
        name: of the model that it makes.
        chunks: how many chunks of CHUNK items it sees.
        rate: the highest learning rate.
        shares: tasks and their weights in the mixture.
        batch_tokens: tokens in a batch, with padding.
        focus: levels that are seen more or less often than they are asked, with the factors.
    """

    name: str
    chunks: int
    rate: float
    shares: Mapping[str, float]
    batch_tokens: int
    focus: Mapping[str, float] = field(default_factory=dict)


def new_model(tokenizer: PreTrainedTokenizerBase, seed: int) -> LlamaForCausalLM:
    """Return an untrained model, the same for the same seed."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=96,
            intermediate_size=232,
            num_hidden_layers=8,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=MAX_LENGTH,
            tie_word_embeddings=False,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )


def train(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, phase: Phase, seed: int, checkpoint: Path
) -> None:
    """Train `model` in place; continue from `checkpoint` if it is there, and keep it up to date."""
    optimizers = _optimizers(model, phase.rate)
    first = _resume(model, optimizers, checkpoint)
    model.train(True)
    for chunk in range(first, phase.chunks):
        start = time.monotonic()
        loss = _train_chunk(model, optimizers, _chunk(tokenizer, phase, seed, chunk), phase, chunk)
        _save(model, optimizers, chunk + 1, checkpoint)
        print(f"{phase.name}: {chunk + 1}/{phase.chunks} loss {loss:.4f} {time.monotonic() - start:.0f} s", flush=True)
    model.train(False)


def _optimizers(model: LlamaForCausalLM, rate: float) -> Optimizers:
    # Muon needs half the items that AdamW needs here, and its updates are scaled to AdamW's.
    layers = list(model.model.layers.parameters())
    matrices = [parameter for parameter in layers if parameter.ndim == 2]
    others = [parameter for parameter in model.parameters() if not any(parameter is matrix for matrix in matrices)]
    return (
        torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw", ns_steps=4),
        torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True),
    )


def _set_rate(optimizers: Optimizers, rate: float) -> None:
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = rate


def _chunk(tokenizer: PreTrainedTokenizerBase, phase: Phase, seed: int, chunk: int) -> list[list[Encoded]]:
    name = f"{phase.name} {seed} {chunk}"
    drafts = islice(stream(phase.shares, name, phase.focus), CHUNK)
    cut = batches(encode(tokenizer, ((draft.prompt, draft.answer) for draft in drafts)), phase.batch_tokens)
    Random(name).shuffle(cut)
    return cut


def _train_chunk(
    model: LlamaForCausalLM, optimizers: Optimizers, cut: list[list[Encoded]], phase: Phase, chunk: int
) -> float:
    total = 0.0
    for number, batch in enumerate(cut):
        _set_rate(optimizers, phase.rate * schedule((chunk + number / len(cut)) / phase.chunks))
        loss = _loss(model, *pad(batch))
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        total += loss.item()
    return total / len(cut)


def schedule(progress: float) -> float:
    """Return the factor of the learning rate at `progress` in [0, 1]: linear warm-up, then a cosine."""
    if progress < WARM_UP:
        return (progress + 1e-3) / (WARM_UP + 1e-3)
    wave = (1 + cos(pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2
    return FINAL_RATE + (1 - FINAL_RATE) * wave


def _loss(model: LlamaForCausalLM, ids: Tensor, answers: Tensor) -> Tensor:
    logits = model(ids, use_cache=False).logits[:, :-1]
    targets = ids[:, 1:]
    weights = torch.where(answers[:, 1:], 1.0, PROMPT_WEIGHT) * (targets != 0)
    losses = nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    return (losses * weights).sum() / weights.sum()


def _save(model: LlamaForCausalLM, optimizers: Optimizers, chunk: int, checkpoint: Path) -> None:
    state = {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "chunk": chunk}
    temporary = checkpoint.with_suffix(".tmp")
    torch.save(state, temporary)
    temporary.replace(checkpoint)


def _resume(model: LlamaForCausalLM, optimizers: Optimizers, checkpoint: Path) -> int:
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, weights_only=True)
    model.load_state_dict(state["model"])
    for optimizer, optimizer_state in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(optimizer_state)
    return int(state["chunk"])
