"""Scoring in several processes of one thread each: on small models twice as fast as one process of several threads.

Every worker holds all sources and a share of the *rows*, so each answers every stack on its share: the work is even,
and no prefix is computed twice.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, Protocol

import torch

from hm3.checkpoints import Checkpoint
from hm3.errors import HM3Error
from hm3.evaluation.prefixes import CacheCounts
from hm3.evaluation.rows import Row
from hm3.evaluation.scorer import Responses, StackScorer
from hm3.layers import LayerBank
from hm3.recipe import Content


class Scorer(Protocol):
    """What scores stacks on row sets, wherever it runs."""

    def add(self, digest: str, checkpoint: Checkpoint) -> None:
        """Make a source known."""
        ...

    def drop(self, digest: str) -> None:
        """Forget a source."""
        ...

    def score(self, stacks: Sequence[Content], row_set: int) -> Responses:
        """Answers of all stacks on one row set."""
        ...

    def counts(self) -> CacheCounts:
        """What the prefix caches did so far, all together."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


class LocalScorer:
    """A scorer in this process: for accelerators, and for models that fill the machine.

    Args:
        row_sets: Lists of rows.
        bank: The weights.
        cache_bytes: Budget of the prefix cache.
    """

    def __init__(self, row_sets: Sequence[Sequence[Row]], bank: LayerBank, *, cache_bytes: int) -> None:
        self._scorer = StackScorer(bank, row_sets, cache_bytes)

    def add(self, digest: str, checkpoint: Checkpoint) -> None:
        """Make a source known."""
        self._scorer.bank.add(digest, checkpoint)

    def drop(self, digest: str) -> None:
        """Forget a source."""
        self._scorer.drop(digest)

    def score(self, stacks: Sequence[Content], row_set: int) -> Responses:
        """Answers of all stacks on one row set."""
        return self._scorer.score(stacks, row_set)

    def counts(self) -> CacheCounts:
        """What the prefix cache did so far."""
        return self._scorer.cache.counts

    def close(self) -> None:
        """Nothing is held outside this process."""


class ProcessScorer:
    """A scorer in several processes of one thread, each with a bank of its own.

    Args:
        row_sets: Lists of rows.
        workers: Number of processes.
        dtype: Of weights and hidden states.
        cache_bytes: Budget of all prefix caches together.
        bank_bytes: Budget of all resident weights together, or None for no limit.
    """

    def __init__(
        self,
        row_sets: Sequence[Sequence[Row]],
        *,
        workers: int,
        dtype: torch.dtype,
        cache_bytes: int,
        bank_bytes: int | None = None,
    ) -> None:
        self._sizes = [len(rows) for rows in row_sets]
        self._shares = [_deal(rows, workers) for rows in row_sets]
        options = {
            "dtype": dtype,
            "cache_bytes": cache_bytes // workers,
            "bank_bytes": bank_bytes and bank_bytes // workers,
        }
        self._links: list[Connection] = []
        self._processes = []
        spawn = multiprocessing.get_context("spawn")
        for worker in range(workers):
            here, there = spawn.Pipe()
            share = [[rows[i] for i in members[worker]] for rows, members in zip(row_sets, self._shares, strict=True)]
            process = spawn.Process(target=_serve, args=(there, share, options), daemon=True)
            process.start()
            there.close()
            self._links.append(here)
            self._processes.append(process)

    def add(self, digest: str, checkpoint: Checkpoint) -> None:
        """Make a source known."""
        self._ask("add", digest, checkpoint)

    def drop(self, digest: str) -> None:
        """Forget a source."""
        self._ask("drop", digest)

    def score(self, stacks: Sequence[Content], row_set: int) -> Responses:
        """Answers of all stacks on one row set."""
        responses = Responses.empty(len(stacks), self._sizes[row_set])
        for members, (log_likelihood, greedy) in zip(
            self._shares[row_set], self._ask("score", list(stacks), row_set), strict=True
        ):
            responses.log_likelihood[:, members] = torch.from_numpy(log_likelihood)
            responses.greedy[:, members] = torch.from_numpy(greedy)
        return responses

    def counts(self) -> CacheCounts:
        """What the prefix caches did so far, all together."""
        parts = self._ask("counts")
        return CacheCounts(*(sum(getattr(part, name) for part in parts) for name in CacheCounts.__slots__))

    def close(self) -> None:
        """End the workers."""
        for link in self._links:
            link.close()
        for process in self._processes:
            process.join(timeout=5)

    def _ask(self, *message: Any) -> list[Any]:
        """Send one message to all workers; their answers, in order."""
        try:
            for link in self._links:
                link.send(message)
            answers = [link.recv() for link in self._links]
        except (EOFError, OSError) as error:
            raise HM3Error("evaluator: a scoring process has ended; what it said is above") from error
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return answers


def _deal(rows: Sequence[Row], workers: int) -> list[list[int]]:
    """Rows to workers in turn, longest first, so that every share takes equally long."""
    order = sorted(range(len(rows)), key=lambda i: (-len(rows[i].tokens), i))
    return [sorted(order[worker::workers]) for worker in range(workers)]


def _serve(link: Connection, row_sets: Sequence[Sequence[Row]], options: dict[str, Any]) -> None:
    """A worker's life: answer messages until the other end is closed, by intent or because its process died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    torch.set_num_threads(1)
    _keep_freed_memory()
    bank = LayerBank(torch.device("cpu"), options["dtype"], options["bank_bytes"])
    scorer = LocalScorer(row_sets, bank, cache_bytes=options["cache_bytes"])
    while True:
        try:
            name, *arguments = link.recv()
        except EOFError:
            return
        try:
            link.send(_answer(scorer, name, arguments))
        except HM3Error as error:
            link.send(error)


def _answer(scorer: LocalScorer, name: str, arguments: list[Any]) -> Any:
    answer = getattr(scorer, name)(*arguments)
    if isinstance(answer, Responses):  # arrays travel as bytes, tensors as open files
        return answer.log_likelihood.numpy(), answer.greedy.numpy()
    return answer


def _keep_freed_memory() -> None:
    """Let glibc reuse freed blocks of up to 64 MB instead of returning them: page faults cost more than the sums."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(-3, 64 << 20)  # M_MMAP_THRESHOLD
        mallopt(-1, 512 << 20)  # M_TRIM_THRESHOLD
