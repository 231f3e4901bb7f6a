"""Resume points of a training: one file, written whole, from which it goes on bit by bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hm3.checkpoints import write_atomic
from hm3.checkpoints.noted import packed_with_note, unpacked_with_note
from hm3.errors import CheckpointError, ConfigurationError
from hm3.parameter.pareto.arrays import term_arrays, terms_of
from hm3.parameter.pareto.descent import Descent, adam_of
from hm3.parameter.pareto.factors import Factors
from hm3.parameter.pareto.objective import PreferenceLosses
from hm3.parameter.pareto.record import TrainingRecord

_FACTORS, _BEST, _ADAM = "factors:", "best:", "adam:"
Arrays = dict[str, NDArray[Any]]


def save_descent(descent: Descent, file: Path, about: str, objective: PreferenceLosses) -> None:
    """Write a resume point, over the one before.

    Args:
        descent: The training.
        file: The file.
        about: Which training it is.
        objective: What is trained for; its state is kept.

    Raises:
        OutputError: It cannot be written.
    """
    arrays = {
        **_with(_FACTORS, term_arrays(descent.factors.terms())),
        **_with(_BEST, term_arrays(descent.best)),
        **_with(_ADAM, _moments(descent)),
    }
    note = {
        "about": about,
        "sizes": descent.sizes,
        "generator": descent.generator.bit_generator.state,
        "objective": objective.state,
        "record": descent.record.to_json(),
    }
    write_atomic(file, packed_with_note(arrays, note))


def load_descent(file: Path, about: str, objective: PreferenceLosses) -> Descent:
    """Read what `save_descent` wrote, and put the objective's state back.

    Raises:
        CheckpointError: The file is missing, damaged, or of another kind.
        ConfigurationError: It is that of another training.
    """
    arrays, note = unpacked_with_note(file)
    try:
        if note["about"] != about:
            raise ConfigurationError(f"{file}: a resume point of this training, got that of another: remove it")
        factors = Factors(terms_of(_of(_FACTORS, arrays)))
        best, generator = terms_of(_of(_BEST, arrays)), np.random.default_rng()
        generator.bit_generator.state = note["generator"]
        record = TrainingRecord.from_json(note["record"])
        descent = Descent(factors, tuple(note["sizes"]), adam_of(factors), generator, best, record)
        _put_moments(descent, _of(_ADAM, arrays))
        objective.state = note["objective"]
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{file}: a resume point of a training, got {error!r:.80}") from error
    return descent


def _moments(descent: Descent) -> Arrays:
    """Adam's state: parameter's number and name -> array."""
    state = (descent.adam.state[leaf] for leaf in descent.factors.parameters())
    return {f"{i}.{key}": value.cpu().numpy() for i, each in enumerate(state) for key, value in each.items()}


def _put_moments(descent: Descent, arrays: Arrays) -> None:
    leaves = descent.factors.parameters()
    for key, array in arrays.items():
        number, name = key.split(".")
        descent.adam.state[leaves[int(number)]][name] = torch.from_numpy(array.copy())


def _with(prefix: str, arrays: Arrays) -> Arrays:
    return {prefix + name: array for name, array in arrays.items()}


def _of(prefix: str, arrays: Any) -> Arrays:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
