"""One scoring process: what its two ends say to each other, and what happens when the kernel takes it away."""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import signal
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import torch

from hm3.errors import HM3Error
from hm3.evaluation.local import LocalScorer
from hm3.evaluation.responses import Responses
from hm3.evaluation.rows import Row
from hm3.layers import LayerBank

RESTARTS = 3  # of one worker; what is killed more often needs more than smaller buckets
_log = logging.getLogger(__name__)

Message = tuple[Any, ...]  # name of a call, then its arguments
MAKE_KNOWN = ("add", "load", "tune")  # calls that a new process must hear again, in order; first the digest


@dataclass(frozen=True, slots=True)
class Budget:
    """What a process may hold.

    Attributes:
        cache_bytes: Of hidden states in its prefix cache.
        bank_bytes: Of weights; None for all.
        batch_tokens: Padded tokens that run at once.
    """

    cache_bytes: int
    bank_bytes: int | None
    batch_tokens: int

    def halved(self) -> Budget:
        """Half the cache and half the tokens; the weights have to be somewhere."""
        return Budget(self.cache_bytes // 2, self.bank_bytes, max(1, self.batch_tokens // 2))


class WorkerProcess:
    """A process of one thread that scores stacks on its rows.

    A kernel that runs out of memory kills without a word. The process is then started anew with half its budget,
    and what it was asked is asked again.

    Args:
        row_sets: Its rows.
        dtype: Of weights and hidden states.
        budget: What it may hold.
    """

    def __init__(self, row_sets: Sequence[Sequence[Row]], dtype: torch.dtype, budget: Budget) -> None:
        self.budget = budget
        self._row_sets, self._dtype = row_sets, dtype
        self._known: dict[str, Message] = {}  # how each source and tensor was made known, by its digest
        self._asked: Message = ()
        self._restarts = 0
        self._start()

    def send(self, message: Message) -> None:
        """Ask something; `receive` has the answer."""
        name, *arguments = self._asked = message
        if name in MAKE_KNOWN:
            self._known[arguments[0]] = message
        elif name == "drop":
            self._known.pop(arguments[0], None)
        with suppress(OSError):  # it has ended: `receive` will find out
            self._link.send(message)

    def receive(self) -> Any:
        """The answer to what was sent last; an error that it raised is an answer.

        Raises:
            HM3Error: The process has ended and would again.
        """
        while True:
            try:
                return self._link.recv()
            except (EOFError, OSError) as error:
                self._restart(error)

    def close(self) -> None:
        """End the process."""
        self._link.close()
        self.process.join(timeout=5)

    def _start(self) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._link, there = spawn.Pipe()
        arguments = (there, self._row_sets, self._dtype, self.budget)
        self.process = spawn.Process(target=_serve, args=arguments, daemon=True)
        self.process.start()
        there.close()

    def _restart(self, error: Exception) -> None:
        """Start anew, make known again what was, ask again what was asked last."""
        self.close()
        if self.process.exitcode != -signal.SIGKILL:
            raise HM3Error("evaluator: a scoring process has ended; what it said is above") from error
        if self._restarts == RESTARTS:
            raise HM3Error(
                f"evaluator: memory for its processes, got one killed {RESTARTS + 1} times;"
                " fewer evaluator.workers or a smaller evaluator.bank_mb may help"
            ) from error
        self._restarts += 1
        self.budget = self.budget.halved()
        tokens = self.budget.batch_tokens
        _log.warning("evaluator.batch_tokens: a scoring process was killed, going on with %d in a new one", tokens)
        self._start()
        with suppress(OSError, EOFError):  # killed again: the caller's next look will find out
            for message in self._known.values():
                self._link.send(message)
                self._link.recv()
            self._link.send(self._asked)


def _serve(link: Connection, row_sets: Sequence[Sequence[Row]], dtype: torch.dtype, budget: Budget) -> None:
    """A worker's life: answer messages until the other end is closed, by intent or because its process died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the parent's to handle
    torch.set_num_threads(1)
    _keep_freed_memory()
    bank = LayerBank(torch.device("cpu"), dtype, budget.bank_bytes)
    scorer = LocalScorer(row_sets, bank, cache_bytes=budget.cache_bytes, batch_tokens=budget.batch_tokens)
    while True:
        try:
            name, *arguments = link.recv()
        except EOFError:
            return
        try:
            link.send(_answer(scorer, name, arguments))
        except HM3Error as error:
            link.send(error)


def _answer(scorer: LocalScorer, name: str, arguments: Sequence[Any]) -> Any:
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
