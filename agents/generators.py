"""The states of random generators as JSON values."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import torch


def global_states() -> dict[str, Any]:
    """The states of the global generators of Python, NumPy and Torch (with its CUDA devices)."""
    version, internal, gauss = random.getstate()
    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - it is the global one that is meant
    return {
        "python": [version, list(internal), gauss],
        "numpy": [name, np.asarray(keys).tolist(), *rest],
        "torch": torch.get_rng_state().tolist(),
        "cuda": [state.tolist() for state in torch.cuda.get_rng_state_all()] if torch.cuda.is_available() else [],
    }


def set_global_states(states: dict[str, Any]) -> None:
    """Set what `global_states` has read; CUDA only where as many devices are present."""
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    np.random.set_state(tuple(states["numpy"]))  # noqa: NPY002
    torch.set_rng_state(torch.tensor(states["torch"], dtype=torch.uint8))
    if torch.cuda.is_available() and torch.cuda.device_count() == len(states["cuda"]):
        torch.cuda.set_rng_state_all([torch.tensor(state, dtype=torch.uint8) for state in states["cuda"]])


def state_of(rng: np.random.Generator) -> dict[str, Any]:
    """The state of one NumPy generator (of a kind whose state is numbers, such as PCG64)."""
    return dict(rng.bit_generator.state)


def set_state(rng: np.random.Generator, state: dict[str, Any]) -> None:
    """Set what `state_of` has read."""
    rng.bit_generator.state = state
