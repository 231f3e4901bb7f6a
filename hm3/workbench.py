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
from hm3.checkpoints.content import file_digest
from hm3.checks import whole, whole_or_none
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
from hm3.recipe import Recipe, digest_of
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
        whole_or_none("evaluator.workers", self.workers, 0)
        whole("evaluator.batch", self.batch, 1)
        whole("evaluator.requests", self.requests, 1)
        try:
            torch.zeros(1, device="cpu" if self.device == "auto" else self.device)
        except (RuntimeError, TypeError, AssertionError) as error:  # no such device; torch was built without it
            raise ConfigurationError(f"evaluator.device: auto or a device of here, got {self.device!r}") from error

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
        return _cores() if weights <= SMALL else 0


@dataclass(frozen=True, slots=True)
class Items:
    """How many items of each task are asked.

    Attributes:
        screen: In the screen.
        search: At most so many search items; None for all.
        test: At most so many test items; None for all.
    """

    screen: int = 64
    search: int | None = None
    test: int | None = None

    def __post_init__(self) -> None:
        whole("evaluator.screen_items", self.screen, 1)
        whole_or_none("evaluator.search_items", self.search, 1)
        whole_or_none("evaluator.test_items", self.test, 1)


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
        items: Items,
    ) -> Workbench:
        """Load tasks and tokenizer, start workers, make the checkpoints known.

        Args:
            checkpoints: The sources, the base first.
            objectives: What is scored; several may share a task.
            include: Folders with task files.
            store: The evaluation store's file.
            machine: Where stacks are scored.
            items: How many items are asked.

        Raises:
            TaskError: A task cannot be scored.
            OutputError: The store cannot be written.
        """
        from transformers import AutoTokenizer

        checkpoints = list(checkpoints)
        host = checkpoints[0]
        names = list(dict.fromkeys(objective.task for objective in objectives if objective.task))
        tasks = load_tasks(names, include)
        splits = {name: split(name, task, items.search, items.test) for name, task in tasks.items()}
        parts = Parts.build(tasks, splits, items.screen)
        tokenizer = AutoTokenizer.from_pretrained(host.path)
        rows = parts.rows(tokenizer, _longest_input(host.config))
        bank = LayerBank(machine.place, DTYPES[machine.dtype], machine.bank_bytes)
        opened = EvaluationStore(store)
        scorer = _scorer(rows, bank, machine, sum(map(_weight_bytes, checkpoints)))
        harness = HarnessModel(lambda recipe: assemble(recipe, bank), tokenizer, machine.requests)
        benchmark = Benchmark(scorer, harness, opened, [machine.dtype, *_reading(host)])
        screen, search, test = (
            BenchmarkEvaluator(benchmark, objectives, chosen, batch=machine.batch)
            for chosen in ((parts.screen,), (parts.screen, parts.rest), (parts.test,))
        )
        bench = cls({}, tuple(objectives), screen, search, test, benchmark, bank, opened)
        try:
            for checkpoint in checkpoints:
                bench.add(checkpoint)
        except BaseException:
            bench.close()
            raise
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


def _scorer(rows: Sequence[Any], bank: LayerBank, machine: Machine, weights: int) -> Scorer:
    processes = machine.processes(weights)
    if not processes:
        return LocalScorer(rows, bank, cache_bytes=machine.cache_bytes)
    # One thread here too: the threads of this process would spin against the workers (learning took 20 times as long).
    torch.set_num_threads(1)
    return ProcessScorer(
        rows, workers=processes, dtype=bank.dtype, cache_bytes=machine.cache_bytes, bank_bytes=machine.bank_bytes
    )


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _reading(host: Checkpoint) -> list[str]:
    """What decides how texts become rows: the tokenizer's files and the longest input."""
    files = [[file.name, file_digest(file)] for file in host.tokenizer_files]
    return [digest_of(files), str(_longest_input(host.config))]


def _weight_bytes(checkpoint: Checkpoint) -> int:
    return sum(entry.stop - entry.start for entry in checkpoint.tensors.values())


def _longest_input(config: Mapping[str, Any]) -> int:
    """The host's longest input in tokens, as lm-eval takes it from the config."""
    return int(config.get("max_position_embeddings") or 2048)
