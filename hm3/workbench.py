"""The workbench: sources, tasks and evaluators of one run, opened and ready. Plain arguments in, no configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from hm3.checkpoints import Checkpoint, SourceModel
from hm3.evaluation import (
    Benchmark,
    BenchmarkEvaluator,
    ConditionedSources,
    EvaluationStore,
    HarnessModel,
    LocalScorer,
    Parts,
    ProcessScorer,
    Prompts,
    Scorer,
    check_templates,
    check_unseamed,
    common_rows,
    fitted_seams,
    load_tasks,
    split,
)
from hm3.evaluation.reading import Reader, readers_of, reading_of, tokenizer_in
from hm3.evaluation.texts import training_texts
from hm3.layers import LayerBank
from hm3.machine import Items, Machine
from hm3.objectives import Objective
from hm3.parameter.pareto import ParetoTensor, Text
from hm3.recipe import Recipe, Source
from hm3.seams import NONE, Seams, SeamValues
from hm3.stacks import assemble


@dataclass
class Workbench:
    """What every command works with.

    Attributes:
        checkpoints: Source name -> checkpoint; the base first, merged sources last.
        objectives: What is scored.
        screen: Judges on the screen: a few search items of every task.
        search: Judges on the whole search split.
        test: Judges on the test split: for reports only.
        machine: Where stacks are scored.
        seams: What happens at the seams of its recipes.
    """

    checkpoints: dict[str, Checkpoint]
    objectives: tuple[Objective, ...]
    screen: BenchmarkEvaluator
    search: BenchmarkEvaluator
    test: BenchmarkEvaluator
    machine: Machine
    seams: Seams
    _benchmark: Benchmark
    _tuning: ConditionedSources
    _bank: LayerBank
    _store: EvaluationStore
    _read: tuple[Parts, Reader]
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
        prompts: Prompts = Prompts(),  # noqa: B008 - frozen
        seam: str = NONE,
    ) -> Workbench:
        """Load tasks and tokenizers, start workers, make the checkpoints known.

        Args:
            checkpoints: The sources, the base first.
            objectives: What is scored; several may share a task.
            include: Folders with task files.
            store: The evaluation store's file.
            machine: Where stacks are scored.
            items: How many items are asked.
            prompts: How they are put.
            seam: The rule at seams.

        Raises:
            CheckpointError: Seams of this rule cannot be folded into the weights of a source.
            ConfigurationError: A chat template is asked for, and the sources have none, or several.
            TaskError: A task cannot be scored, or the sources read it differently.
            OutputError: The store cannot be written.
        """
        checkpoints = list(checkpoints)
        host = checkpoints[0]
        names = list(dict.fromkeys(objective.task for objective in objectives if objective.task))
        tasks = load_tasks(names, include, allow_code_execution=machine.allow_code_execution)
        prompts.set_shots(tasks)
        splits = {name: split(name, task, items.search, items.test, items.training) for name, task in tasks.items()}
        tokenizer = cache(tokenizer_in)
        readers = readers_of(checkpoints, tokenizer)
        if prompts.apply_chat_template:
            check_templates(readers)
        parts = Parts.build(tasks, splits, items.screen, prompts.with_template(readers[0].tokenizer))
        objectives = parts.with_metrics(objectives)
        rows = common_rows(parts, readers)
        bank = LayerBank(machine.place, machine.torch_dtype, machine.bank_bytes)
        opened = EvaluationStore(store)
        seams = fitted_seams(seam, bank, parts, readers[0], checkpoints)
        scorer = _scorer(rows, bank, machine, sum(map(_weight_bytes, checkpoints)))
        harness = HarnessModel(
            lambda recipe: assemble(recipe, bank, seams.of([recipe.content])),
            lambda recipe: tokenizer(bank.checkpoint(recipe.content.embedding).path),
            machine.requests,
        )
        tuning = ConditionedSources(scorer, bank)
        benchmark = Benchmark(scorer, harness, opened, [machine.dtype, *reading_of(host)], seams, tuning)
        screen, search, test = (
            BenchmarkEvaluator(benchmark, objectives, chosen, batch=machine.batch, seam=seams.name)
            for chosen in ((parts.screen,), (parts.screen, parts.rest), (parts.test,))
        )
        bench = cls(
            {},
            tuple(objectives),
            screen,
            search,
            test,
            machine,
            seams,
            benchmark,
            tuning,
            bank,
            opened,
            (parts, readers[0]),
        )
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
        self._add(checkpoint)
        self.checkpoints[checkpoint.name] = checkpoint

    def drop(self, name: str) -> None:
        """Forget a source and free its weights."""
        self._drop(self.checkpoints.pop(name).source.digest)

    def holds(self, source: Source) -> bool:
        """Whether a source, whatever it is called, is among the bench's own."""
        return source.digest in {checkpoint.source.digest for checkpoint in self.checkpoints.values()}

    @contextmanager
    def guest(self, model: SourceModel) -> Iterator[None]:
        """While the block runs, recipes may have one source more: `model`, which `checkpoints` doesn't list."""
        try:
            self._add(model)
            yield
        finally:
            self._drop(model.source.digest)

    def texts(self) -> dict[str, list[Text]]:
        """Task -> its training items as texts, prompts with reference answers; empty without `Items.training`.

        Raises:
            TaskError: A task has no such texts.
        """
        return training_texts(*self._read)

    @property
    def store(self) -> EvaluationStore:
        """What is known."""
        return self._store

    def condition(self, tensor: ParetoTensor, base: Checkpoint) -> None:
        """Make a tensor known: recipes may then have any of its sources, as `ParetoTensor.source` names them.

        Nothing is merged and none of them is kept: a base and the factors give all of them.

        Args:
            tensor: The tensor.
            base: What its terms are added to; it need not be a source.

        Raises:
            CheckpointError: The tensor was trained for another base.
            ConfigurationError: Seams are fitted.
        """
        check_unseamed(self.seams.name)
        self._tuning.load(tensor, base)

    def pace(self, recipe: Recipe) -> float:
        """About how many seconds a stack of a recipe's layers takes on the screen, if it shares nothing with others."""
        orders = (recipe.path[::-1], recipe.path[1:] + recipe.path[:1])  # none that anybody has asked for
        warm, timed = (replace(recipe, path=path, seam=self.seams.name) for path in orders)
        self.screen.pace(warm)  # reads the weights
        return self.screen.pace(timed)

    def assemble(self, recipe: Recipe) -> Any:
        """The recipe as a transformers model in memory that shares the sources' weights."""
        with self._tuning.known([recipe]):
            return assemble(recipe, self._bank, self.seams.of([recipe.content]))

    def seam_values(self, recipes: Iterable[Recipe]) -> SeamValues:
        """What was fitted for the seams of some recipes."""
        return SeamValues(self.seams.of(recipe.content for recipe in recipes))

    def _add(self, model: SourceModel) -> None:
        digest = model.source.digest
        self._bank.add(digest, model)
        self._benchmark.scorer.add(digest, model)

    def _drop(self, digest: str) -> None:
        self._bank.drop(digest)
        self.seams.drop(digest)
        self._benchmark.scorer.drop(digest)

    @property
    def evaluations(self) -> int:
        """Distinct recipes judged so far, on whatever items."""
        return len(self.screen.asked | self.search.asked | self.test.asked)

    @property
    def exits(self) -> int:
        """Distinct early exits read so far, on whatever items; they are no evaluations."""
        return len(self.screen.asked_early | self.search.asked_early | self.test.asked_early)

    @property
    def cache(self) -> Mapping[str, int]:
        """What the prefix caches did: lookups, hits, evicted."""
        counts = self._benchmark.scorer.counts()
        return {"lookups": counts.lookups, "hits": counts.hits, "evicted": counts.evicted}


def _scorer(rows: Sequence[Any], bank: LayerBank, machine: Machine, weights: int) -> Scorer:
    processes = machine.processes(weights)
    if not processes:
        return LocalScorer(rows, bank, cache_bytes=machine.cache_bytes, batch_tokens=machine.tokens)
    # One thread here too: the threads of this process would spin against the workers (learning took 20 times as long).
    torch.set_num_threads(1)
    return ProcessScorer(
        rows,
        workers=processes,
        dtype=bank.dtype,
        cache_bytes=machine.cache_bytes,
        bank_bytes=machine.bank_bytes,
        batch_tokens=machine.tokens,
    )


def _weight_bytes(checkpoint: Checkpoint) -> int:
    return sum(entry.stop - entry.start for entry in checkpoint.tensors.values())
