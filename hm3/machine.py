"""Where stacks are scored, and on how many items."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from hm3.checks import flag, number, whole, whole_or_none
from hm3.errors import ConfigurationError
from hm3.evaluation.rows import BUCKET_TOKENS

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
ACCELERATOR_TOKENS = 16_384  # enough to keep its units busy
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
        batch_tokens: Padded tokens that run at once; None decides by the device. It is halved where memory runs out.
        requests: Requests that run at once where a real model answers them.
        allow_code_execution: Whether code that a model wrote may run, in the sandbox.
    """

    device: str = "auto"
    dtype: str = "float32"
    workers: int | None = None
    cache_bytes: int = 256 << 20
    bank_bytes: int | None = None
    batch: int = 64
    batch_tokens: int | None = None
    requests: int = 64
    allow_code_execution: bool = False

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ConfigurationError(f"evaluator.dtype: one of {', '.join(DTYPES)}, got {self.dtype!r}")
        whole_or_none("evaluator.workers", self.workers, 0)
        whole("evaluator.batch", self.batch, 1)
        whole_or_none("evaluator.batch_tokens", self.batch_tokens, 1)
        whole("evaluator.requests", self.requests, 1)
        flag("evaluator.allow_code_execution", self.allow_code_execution)
        try:
            torch.zeros(1, device="cpu" if self.device == "auto" else self.device)
        except (
            RuntimeError,
            TypeError,
            ValueError,
            AssertionError,
        ) as error:  # no such device; torch was built without it
            raise ConfigurationError(f"evaluator.device: auto or a device of here, got {self.device!r}") from error

    @property
    def place(self) -> torch.device:
        """The device, decided."""
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return torch.device(self.device)

    @property
    def tokens(self) -> int:
        """How many padded tokens run at once, decided."""
        if self.batch_tokens is not None:
            return self.batch_tokens
        return BUCKET_TOKENS if self.place.type == "cpu" else ACCELERATOR_TOKENS

    @property
    def torch_dtype(self) -> torch.dtype:
        """The type of weights and hidden states."""
        return DTYPES[self.dtype]

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
        training: Share of the search items, before `search` limits them, that models are trained on and that judge
            none of them: what has been trained on an item says nothing about other models by its score there.
    """

    screen: int = 64
    search: int | None = None
    test: int | None = None
    training: float = 0.0

    def __post_init__(self) -> None:
        whole("evaluator.screen_items", self.screen, 1)
        whole_or_none("evaluator.search_items", self.search, 1)
        whole_or_none("evaluator.test_items", self.test, 1)
        number("evaluator.training", self.training, 0, 1)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
