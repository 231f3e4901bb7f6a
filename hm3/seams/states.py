"""Home states: the residual stream of every source that runs alone, on the calibration rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hm3.layers import LayerBank
from hm3.recipe.junctions import State
from hm3.seams.calibration import Calibration
from hm3.seams.fitting import size

BUDGET = 2 << 30  # bytes
PAIR = 2  # sources that a fit needs at once


@dataclass(frozen=True, slots=True)
class Home:
    """One home state.

    Attributes:
        size: How large it is, as `fitting.size` has it.
        hidden: Gives its hidden states, (tokens, width), token by token the same for all home states.
    """

    size: float
    hidden: Callable[[], Tensor]

    @classmethod
    def of(cls, hidden: Tensor) -> Home:
        """Of hidden states that are at hand."""
        return cls(size(hidden), lambda: hidden)


class HomeStates:
    """Home states, computed a source at a time.

    Their sizes are kept. Hidden states are kept outside the accelerator, up to a budget; beyond it those of the least
    recently used source go, and are computed again when a fit asks for them.

    Args:
        bank: The weights.
        calibration: The rows.
        budget: Bytes of hidden states that may be kept.
    """

    def __init__(self, bank: LayerBank, calibration: Calibration, budget: int = BUDGET) -> None:
        self.calibration = calibration
        self._bank, self._budget = bank, budget
        self._sizes: dict[State, float] = {}
        self._kept: OrderedDict[str, list[Tensor]] = OrderedDict()

    def __getitem__(self, state: State) -> Home:
        """A home state."""
        if state not in self._sizes:
            self._source(state.source)
        return Home(self._sizes[state], lambda: self._source(state.source)[state.layer].to(self._bank.device))

    def drop(self, source: str) -> None:
        """Forget a source's hidden states."""
        self._kept.pop(source, None)

    def _source(self, source: str) -> list[Tensor]:
        if source not in self._kept:
            self._kept[source] = self._run(source)
            self._sizes |= {State(source, layer): size(hidden) for layer, hidden in enumerate(self._kept[source])}
            while len(self._kept) > PAIR and sum(map(_bytes, self._kept.values())) > self._budget:
                self._kept.popitem(last=False)
        self._kept.move_to_end(source)
        return self._kept[source]

    @torch.inference_mode()
    def _run(self, source: str) -> list[Tensor]:
        depth = self._bank.checkpoint(source).depth
        forward = self._bank.forward(source, max(map(len, self.calibration.rows)))
        found: list[list[Tensor]] = [[] for _ in range(depth + 1)]
        for tokens, measured in self.calibration.batches(self._bank.device):
            hidden = forward.begin(self._bank.embedding(source), tokens)
            found[0].append(hidden[measured].cpu())
            for layer in range(depth):
                hidden = forward.layer(self._bank.layer(source, layer), hidden)
                found[layer + 1].append(hidden[measured].cpu())
        return [torch.cat(parts) for parts in found]


def _bytes(states: list[Tensor]) -> int:
    return sum(state.nbytes for state in states)
