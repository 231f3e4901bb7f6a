"""What one candidate costs on random weights of a size: to merge, to judge, to train for and to tune."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from hm3 import zoo
from hm3.checkpoints import Checkpoint
from hm3.machine import Items, Machine
from hm3.merge_judge import judged_merges
from hm3.objectives import Objective
from hm3.parameter import specify
from hm3.parameter.pareto import DataFree, Differences, ParetoTensor, Training, initial_terms
from hm3.recipe import Recipe
from hm3.workbench import Workbench
from scripts.benchmark.export_models import Shape, write_random
from scripts.benchmark.memory import own_peak, reset_peak
from scripts.benchmark.report import Report, Request, rounded
from scripts.benchmark.sheet import Sheet

SIZES: Mapping[str, Shape] = {
    "0.02B": Shape(depth=8, width=384, inner=1024, heads=8),
    "0.1B": Shape(depth=12, width=768, inner=2048, heads=8),
    "0.5B": Shape(depth=24, width=1024, inner=5120, heads=16),
}
EXPERTS, ITEMS, RANK, STEPS = 3, 4, 64, 3  # the rank is the default
GB = 10**9
TITLES = {
    "merge_and_judge": f"a DARE-TIES merge of {EXPERTS} experts, made in memory and judged on {3 * ITEMS} items",
    "initial_terms": f"Pareto Merging: the start, rank {RANK}",
    "data_free_steps": f"Pareto Merging: {STEPS} data-free steps and 2 validations",
    "first_preference": "a preference, the base read and judged",
    "next_preference": "any further preference, judged",
}
"""What is measured -> how it is called."""


def cost(request: Request) -> Report:
    """Measure, one after the other; what lies on the disk is read once before."""
    size = str(request.size)
    if size not in SIZES:
        raise SystemExit(f"--size: one of {', '.join(SIZES)}, got {size}")
    shape = SIZES[size]
    with tempfile.TemporaryDirectory(prefix="hm3-benchmark-") as folder:
        request.tell("random weights")
        models = [
            Checkpoint.open(name, write_random(Path(folder) / name, shape, name))
            for name in ("base", *(f"expert_{number}" for number in range(EXPERTS)))
        ]
        figures = request.kept("cost", lambda: _figures(Path(folder), models, request))
    summary = {"size": size, "bytes": shape.nbytes, **{key: rounded(value) for key, value in figures.items()}}
    sheet = _sheet(shape, figures)
    return Report(summary, {"tables": [sheet.json()]}, [sheet.rich()])


def _figures(folder: Path, models: list[Checkpoint], request: Request) -> dict[str, float]:
    with _bench(folder, models) as bench:
        base, *experts = models
        bench.search([Recipe.identity(each.source, each.depth) for each in models])  # all weights are resident now
        found: dict[str, float] = {}
        request.tell("a merge")
        sources = [each.source for each in experts]
        spec = specify("dare_ties", base=base.source, parents=sources, weights=[0.4] * EXPERTS)
        _measured(found, "merge_and_judge", lambda: list(judged_merges(bench, [spec], base.depth, ["candidate"])))
        request.tell("Pareto Merging")
        tensor = _trained(found, base, experts)
        bench.condition(tensor, base)
        for number, part in enumerate(("first", "next")):  # the first one reads the base once more
            recipe = Recipe.identity(tensor.source("tuned", [1.0 - number / 2, number / 2, 0.0]), base.depth)
            _measured(found, f"{part}_preference", partial(bench.search, [recipe]))
    return found


def _trained(found: dict[str, float], base: Checkpoint, experts: list[Checkpoint]) -> ParetoTensor:
    differences = Differences(base, experts)
    terms = _measured(found, "initial_terms", lambda: initial_terms(differences, RANK))
    training = Training(steps=STEPS, validate_every=STEPS)
    trained = _measured(found, "data_free_steps", lambda: training(DataFree(differences), lambda: terms))
    return ParetoTensor(trained.terms, base.source, tuple(each.source for each in experts))


def _measured(found: dict[str, float], name: str, work: Callable[[], Any]) -> Any:
    """Seconds, and the most memory beyond what was held before."""
    reset_peak()
    before, began = own_peak(), time.perf_counter()
    result = work()
    found[f"{name}_s"] = time.perf_counter() - began
    found[f"{name}_peak"] = float(own_peak() - before)
    return result


@contextmanager
def _bench(folder: Path, models: list[Checkpoint]) -> Iterator[Workbench]:
    objectives = [Objective(name, f"hm3_{name}", "answer_likelihood") for name in ("math", "code", "translation")]
    with Workbench.open(
        models,
        objectives,
        include=[zoo.TASKS],
        store=folder / "evaluations.sqlite",
        machine=Machine(device="cpu", workers=0),
        items=Items(screen=ITEMS, search=ITEMS, test=ITEMS),
    ) as bench:
        yield bench


def _sheet(shape: Shape, figures: Mapping[str, float]) -> Sheet:
    rows = [
        [title, f"{figures[f'{name}_s']:.1f}", f"{figures[f'{name}_peak'] / GB:.2f}"] for name, title in TITLES.items()
    ]
    title = f"a model has {shape.nbytes / GB:.2f} GB in bfloat16"
    return Sheet(title, ("what", "seconds", "memory beyond, GB"), rows)
