"""Looking at a merge's tensors while they are made, each once, without holding any."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from torch import Tensor

from hm3.checkpoints import Computed

Watch = Callable[[str, Tensor], None]
"""Is shown a tensor's name and the tensor, which it must not write to."""


def unwatched(name: str, tensor: Tensor) -> None:
    """Looks away."""


def watched(planned: Iterable[Computed], watch: Watch) -> list[Computed]:
    """The same tensors; `watch` is shown each when it is made."""
    return [replace(each, make=partial(_shown, each, watch)) for each in planned]


def _shown(planned: Computed, watch: Watch) -> Tensor:
    tensor = planned.make()
    watch(planned.name, tensor)
    return tensor
