"""Scoring in several processes of one thread each: on small models twice as fast as one process of several threads.

Every worker holds all sources and a share of the *rows*, so each answers every stack on its share: the work is even,
and no prefix is computed twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from hm3.checkpoints import Checkpoint, SourceModel
from hm3.evaluation.prefixes import CacheCounts
from hm3.evaluation.process import Budget, WorkerProcess
from hm3.evaluation.responses import Responses
from hm3.evaluation.rows import BUCKET_TOKENS, Row
from hm3.parameter.pareto import ParetoTensor
from hm3.recipe import Content, Source
from hm3.seams import NO_TRANSFORMS, Transforms


class Scorer(Protocol):
    """What scores stacks on row sets, wherever it runs."""

    def add(self, digest: str, checkpoint: SourceModel) -> None:
        """Make a source known."""
        ...

    def load(self, digest: str, tensor: ParetoTensor, base: Checkpoint) -> None:
        """Make a tensor known under its digest, with its base."""
        ...

    def tune(self, digest: str, source: Source) -> None:
        """Make a source known that a tensor conditions; the tensor must be known."""
        ...

    def drop(self, digest: str) -> None:
        """Forget a source."""
        ...

    def score(
        self,
        stacks: Sequence[Content],
        row_set: int,
        exits: Sequence[Content] = (),
        seams: Transforms = NO_TRANSFORMS,
    ) -> Responses:
        """Answers of all stacks, then of all early exits, on one row set; `seams` has the transform of every seam."""
        ...

    def counts(self) -> CacheCounts:
        """What the prefix caches did so far, all together."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class ProcessScorer:
    """A scorer in several processes of one thread, each with a bank of its own.

    Args:
        row_sets: Lists of rows.
        workers: Number of processes.
        dtype: Of weights and hidden states.
        cache_bytes: Budget of all prefix caches together.
        bank_bytes: Budget of all resident weights together, or None for no limit.
        batch_tokens: Padded tokens that run at once in a process.
    """

    def __init__(
        self,
        row_sets: Sequence[Sequence[Row]],
        *,
        workers: int,
        dtype: torch.dtype,
        cache_bytes: int,
        bank_bytes: int | None = None,
        batch_tokens: int = BUCKET_TOKENS,
    ) -> None:
        self._sizes = [len(rows) for rows in row_sets]
        self._shares = [_deal(rows, workers) for rows in row_sets]
        budget = Budget(cache_bytes // workers, bank_bytes and bank_bytes // workers, batch_tokens)
        self._workers = [
            WorkerProcess(
                [[rows[i] for i in shares[number]] for rows, shares in zip(row_sets, self._shares, strict=True)],
                dtype,
                budget,
            )
            for number in range(workers)
        ]

    def add(self, digest: str, checkpoint: SourceModel) -> None:
        """Make a source known."""
        self._ask("add", digest, checkpoint)

    def load(self, digest: str, tensor: ParetoTensor, base: Checkpoint) -> None:
        """Make a tensor known under its digest, with its base: it travels once."""
        self._ask("load", digest, tensor, base)

    def tune(self, digest: str, source: Source) -> None:
        """Make a source known that a tensor conditions: its weights travel."""
        self._ask("tune", digest, source)

    def drop(self, digest: str) -> None:
        """Forget a source."""
        self._ask("drop", digest)

    def score(
        self,
        stacks: Sequence[Content],
        row_set: int,
        exits: Sequence[Content] = (),
        seams: Transforms = NO_TRANSFORMS,
    ) -> Responses:
        """Answers of all stacks, then of all early exits, on one row set; `seams` has the transform of every seam."""
        responses = Responses.empty(len(stacks) + len(exits), self._sizes[row_set])
        answers = self._ask("score", list(stacks), row_set, list(exits), dict(seams))
        for members, (log_likelihood, greedy) in zip(self._shares[row_set], answers, strict=True):
            responses.log_likelihood[:, members] = torch.from_numpy(log_likelihood)
            responses.greedy[:, members] = torch.from_numpy(greedy)
        return responses

    def counts(self) -> CacheCounts:
        """What the prefix caches did so far, all together."""
        parts = self._ask("counts")
        return CacheCounts(*(sum(getattr(part, name) for part in parts) for name in CacheCounts.__slots__))

    def close(self) -> None:
        """End the workers."""
        for worker in self._workers:
            worker.close()

    def _ask(self, *message: Any) -> list[Any]:
        """Send one message to all workers; their answers, in order."""
        for worker in self._workers:
            worker.send(message)
        answers = [worker.receive() for worker in self._workers]
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return answers


def _deal(rows: Sequence[Row], workers: int) -> list[list[int]]:
    """Rows to workers in turn, longest first, so that every share takes equally long."""
    order = sorted(range(len(rows)), key=lambda i: (-len(rows[i].tokens), i))
    return [sorted(order[worker::workers]) for worker in range(workers)]
