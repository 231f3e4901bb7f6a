"""The rules that a zoo must satisfy, whatever is searched in it later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoTokenizer, LlamaForCausalLM

from scripts.zoo import corpus
from scripts.zoo.scoring import Encoded, Score, encode, score_tasks

TASKS = tuple(corpus.LEVELS)
STEPS = 4
Table = dict[str, dict[str, Score]]


@dataclass(frozen=True)
class Verdict:
    """One rule: what it demands, and whether the zoo obeys."""

    rule: str
    passed: bool


def test_items(models: Path) -> dict[str, list[Encoded]]:
    """Return the test split of every task, encoded with the base's tokenizer."""
    tokenizer = AutoTokenizer.from_pretrained(models / "base")
    return {
        task: encode(tokenizer, ((str(row["prompt"]), str(row["answer"])) for row in corpus.held_out(task)["test"]))
        for task in TASKS
    }


def load(folder: Path) -> LlamaForCausalLM:
    """Load a checkpoint for scoring, in float32."""
    model: LlamaForCausalLM = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model


def lattice(parts: int, steps: int) -> Iterator[tuple[int, ...]]:
    """Yield every way to distribute `steps` over `parts` (Das and Dennis)."""
    if parts == 1:
        yield (steps,)
        return
    for first in range(steps, -1, -1):
        for rest in lattice(parts - 1, steps - first):
            yield (first, *rest)


def average(states: list[dict[str, Tensor]], weights: tuple[int, ...]) -> dict[str, Tensor]:
    """Return the weighted average of models, parameter by parameter."""
    total = sum(weights)
    return {
        name: torch.stack([weight / total * state[name] for weight, state in zip(weights, states, strict=True)]).sum(0)
        for name in states[0]
    }


def score_sources(models: Path, items: Mapping[str, list[Encoded]]) -> Table:
    """Score base and experts."""
    return {name: score_tasks(load(models / name), items) for name in ("base", *TASKS)}


def score_averages(models: Path, items: Mapping[str, list[Encoded]]) -> Table:
    """Score every average of base and experts whose weights are multiples of 1/STEPS, the sources left out."""
    names = ("base", *TASKS)
    states = [load(models / name).state_dict() for name in names]
    model = load(models / "base")
    table: Table = {}
    for weights in lattice(len(names), STEPS):
        if max(weights) < STEPS:
            model.load_state_dict(average(states, weights))
            table[" ".join(f"{name}*{w}/{STEPS}" for name, w in zip(names, weights, strict=True) if w)] = score_tasks(
                model, items
            )
    return table


def mean_exact(scores: Mapping[str, Score]) -> float:
    """Return the mean exact match over tasks."""
    return sum(score.exact_match for score in scores.values()) / len(scores)


def judge(sources: Table, averages: Table) -> list[Verdict]:
    """Return the verdict on every rule; all are about exact match on the test split."""
    exact = {name: {task: score.exact_match for task, score in scores.items()} for name, scores in sources.items()}
    specialists = sum(exact[task][task] for task in TASKS) / len(TASKS)
    best = max(mean_exact(scores) for scores in averages.values())
    return [
        *(Verdict(f"base on {task} within 20 to 60 %", 0.2 <= exact["base"][task] <= 0.6) for task in TASKS),
        *(_leads(exact, task) for task in TASKS),
        *(_forgets(exact, expert, task) for expert in TASKS for task in TASKS if task != expert),
        Verdict(
            f"best average ({best:.3f}) 10 points below the specialists ({specialists:.3f})", best <= specialists - 0.1
        ),
    ]


def record(sources: Table, averages: Table) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    """Return both tables as JSON can hold them."""
    return {
        label: {name: {task: asdict(score) for task, score in scores.items()} for name, scores in table.items()}
        for label, table in (("sources", sources), ("averages", averages))
    }


def parse(table: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Table:
    """Return one of the tables that `record` made."""
    return {name: {task: Score(**score) for task, score in scores.items()} for name, scores in table.items()}


def _leads(exact: Mapping[str, Mapping[str, float]], task: str) -> Verdict:
    others = max(scores[task] for name, scores in exact.items() if name != task)
    return Verdict(f"{task} expert leads on {task} by 10 points", exact[task][task] >= others + 0.1)


def _forgets(exact: Mapping[str, Mapping[str, float]], expert: str, task: str) -> Verdict:
    return Verdict(
        f"{expert} expert on {task} above 5 % and below base", 0.05 < exact[expert][task] < exact["base"][task]
    )


def render(table: Table) -> str:
    """Return a table for people: exact match and likelihood per answer character, in percent."""
    width = max(len(name) for name in table)
    lines = [" " * width + "".join(f"  {task:>16}" for task in TASKS) + "   mean exact"]
    for name, scores in table.items():
        cells = "".join(f"  {scores[t].exact_match:>7.1%} {scores[t].answer_likelihood:>8.1%}" for t in TASKS)
        lines.append(f"{name:<{width}}{cells}   {mean_exact(scores):>10.1%}")
    return "\n".join(lines)
