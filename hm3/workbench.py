"""The workbench: sources, tasks and evaluators of one run, opened and ready. Plain arguments in, no configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from hm3.checkpoints import Checkpoint
from hm3.errors import ConfigurationError
from hm3.evaluation import (
    Benchmark,
    BenchmarkEvaluator,
    EvaluationStore,
    HarnessModel,
    LocalScorer,
    Parts,
    ProcessScorer,
    Scorer,
    load_tasks,
    split,
)
from hm3.layers import LayerBank
from hm3.objectives import Objective
from hm3.recipe import Recipe
from hm3.stacks import assemble

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
SMALL = 500_000_000  # bytes of weights up to which one process for each core is worth its copy of them


@dataclass(frozen=True, slots=True)
class Machine:
    """Where stacks are scored.

    Attributes:
        device: ``cpu``, ``cuda``, ``cuda:1`` …, or ``auto``.
        dtype: Of weights and hidden states: float32, bfloat16 or float16.
        workers: Processes of one thread each on a CPU; 0 scores in this process; None decides by the models' size.
        cache_bytes: Budget of the prefix cache, over all workers.
        bank_bytes: Budget of resident weights, or None for all.
        batch: Stacks scored at once.
        requests: Requests that run at once where a real model answers them.
    """

    device: str = "auto"
    dtype: str = "float32"
    workers: int | None = None
    cache_bytes: int = 256 << 20
    bank_bytes: int | None = None
    batch: int = 64
    requests: int = 64

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ConfigurationError(f"evaluator.dtype: one of {', '.join(DTYPES)}, got {self.dtype!r}")
        try:
            torch.device("cpu" if self.device == "auto" else self.device)
        except RuntimeError as error:
            raise ConfigurationError(f"evaluator.device: auto or a torch device, got {self.device!r}") from error

    @property
    def place(self) -> torch.device:
        """The device, decided."""
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return torch.device(self.device)

    def processes(self, weights: int) -> int:
        """How many worker processes to start for so many bytes of weights; 0 for none."""
        if self.place.type != "cpu":
            return 0
        if self.workers is not None:
            return self.workers
        return len(os.sched_getaffinity(0)) if weights <= SMALL else 0


@dataclass
class Workbench:
    """What every command works with.

    Attributes:
        checkpoints: Source name -> checkpoint; the base first, merged sources last.
        objectives: What is scored.
        screen: Judges on the screen: a few search items of every task.
        search: Judges on the whole search split.
        test: Judges on the test split: for reports only.
    """

    checkpoints: dict[str, Checkpoint]
    objectives: tuple[Objective, ...]
    screen: BenchmarkEvaluator
    search: BenchmarkEvaluator
    test: BenchmarkEvaluator
    _benchmark: Benchmark
    _bank: LayerBank
    _store: EvaluationStore
    _closed: bool = field(default=False)

    @classmethod
    def open(
        cls,
        checkpoints: Iterable[Checkpoint],
        objectives: Sequence[Objective],
        *,
        include: Sequence[Path],
        store: Path,
        machine: Machine,
        screen_items: int = 64,
        search_items: int | None = None,
        test_items: int | None = None,
    ) -> Workbench:
        """Load tasks and tokenizer, start workers, make the checkpoints known.

        Args:
            checkpoints: The sources, the base first.
            objectives: What is scored; several may share a task.
            include: Folders with task files.
            store: The evaluation store's file.
            machine: Where stacks are scored.
            screen_items: Items of each task in the screen.
            search_items: At most so many search items of each task.
            test_items: At most so many test items of each task.
        """
        from transformers import AutoTokenizer

        checkpoints = list(checkpoints)
        host = checkpoints[0]
        names = list(dict.fromkeys(objective.task for objective in objectives if objective.task))
        tasks = load_tasks(names, include)
        splits = {name: split(name, task, search_items, test_items) for name, task in tasks.items()}
        parts = Parts.build(tasks, splits, screen_items)
        tokenizer = AutoTokenizer.from_pretrained(host.path)
        rows = parts.rows(tokenizer, _longest_input(host.config))
        bank = LayerBank(machine.place, DTYPES[machine.dtype], machine.bank_bytes)
        scorer = _scorer(rows, machine, sum(map(_weight_bytes, checkpoints)))
        opened = EvaluationStore(store)
        harness = HarnessModel(lambda recipe: assemble(recipe, bank), tokenizer, machine.requests)
        benchmark = Benchmark(scorer, harness, opened, [machine.dtype])
        screen, search, test = (
            BenchmarkEvaluator(benchmark, objectives, chosen, batch=machine.batch)
            for chosen in ((parts.screen,), (parts.screen, parts.rest), (parts.test,))
        )
        bench = cls({}, tuple(objectives), screen, search, test, benchmark, bank, opened)
        for checkpoint in checkpoints:
            bench.add(checkpoint)
        return bench

    def __enter__(self) -> Workbench:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers and close the store."""
        if not self._closed:
            self._benchmark.scorer.close()
            self._store.close()
            self._closed = True

    def add(self, checkpoint: Checkpoint) -> None:
        """Make a source known."""
        digest = checkpoint.source.digest
        self._bank.add(digest, checkpoint)
        self._benchmark.scorer.add(digest, checkpoint)
        self.checkpoints[checkpoint.name] = checkpoint

    def drop(self, name: str) -> None:
        """Forget a source and free its weights."""
        digest = self.checkpoints.pop(name).source.digest
        self._bank.drop(digest)
        self._benchmark.scorer.drop(digest)

    def assemble(self, recipe: Recipe) -> Any:
        """The recipe as a transformers model in memory that shares the sources' weights."""
        return assemble(recipe, self._bank)

    @property
    def evaluations(self) -> int:
        """Distinct recipes judged so far, on whatever items."""
        return len(self.screen.asked | self.search.asked | self.test.asked)

    @property
    def cache(self) -> Mapping[str, int]:
        """What the prefix caches did: lookups, hits, evicted."""
        counts = self._benchmark.scorer.counts()
        return {"lookups": counts.lookups, "hits": counts.hits, "evicted": counts.evicted}


def _scorer(rows: Sequence[Any], machine: Machine, weights: int) -> Scorer:
    dtype = DTYPES[machine.dtype]
    processes = machine.processes(weights)
    if processes:
        return ProcessScorer(
            rows, workers=processes, dtype=dtype, cache_bytes=machine.cache_bytes, bank_bytes=machine.bank_bytes
        )
    return LocalScorer(
        rows, device=machine.place, dtype=dtype, cache_bytes=machine.cache_bytes, bank_bytes=machine.bank_bytes
    )


def _weight_bytes(checkpoint: Checkpoint) -> int:
    return sum(entry.stop - entry.start for entry in checkpoint.tensors.values())


def _longest_input(config: Mapping[str, Any]) -> int:
    """The host's longest input in tokens, as lm-eval takes it from the config."""
    return int(config.get("max_position_embeddings") or 2048)
