"""Libraries with global state at work, and nobody notices."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from agents.generators import global_states, set_global_states


@contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Global generators begin at a seed and are then as before; one thread of torch; warnings stay inside.

    With one thread results are the same to the last bit however many threads the caller has. botorch warns of
    numerical events that it handles by itself (a jitter, another attempt), dozens in a search.

    Args:
        seed: Of torch's generators.
    """
    states, threads = global_states(), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        torch.set_num_threads(threads)
        set_global_states(states)
