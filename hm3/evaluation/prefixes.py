"""The prefix cache: hidden states of stack prefixes, under a byte budget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from torch import Tensor


@dataclass(slots=True)
class CacheCounts:
    """What the cache did: layers looked up, layers found, tensors given up."""

    lookups: int = 0
    hits: int = 0
    evicted: int = 0


class PrefixCache:
    """Hidden states by prefix; the least recently used go first.

    A prefix is admitted when it is offered for the second time: most prefixes of a search occur once, and admitting
    them would drive out those that recur.

    Args:
        budget: Bytes that may be held; 0 switches the cache off.
        remembered: How many prefixes offered once are remembered.
    """

    def __init__(self, budget: int, remembered: int = 100_000) -> None:
        self.counts = CacheCounts()
        self.budget = budget
        self._remembered = remembered
        self._held: OrderedDict[Hashable, Tensor] = OrderedDict()
        self._offered: OrderedDict[Hashable, None] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def bytes(self) -> int:
        """Bytes held."""
        return self._bytes

    def get(self, key: Hashable) -> Tensor | None:
        """The hidden states of a prefix, or None."""
        hidden = self._held.get(key)
        if hidden is not None:
            self._held.move_to_end(key)
        return hidden

    def offer(self, key: Hashable, hidden: Tensor) -> None:
        """Keep `hidden` if its prefix has been offered before and fits the budget. It must not be changed after."""
        size = hidden.numel() * hidden.element_size()
        if size > self.budget or key in self._held or not self._offered_before(key):
            return
        self._held[key] = hidden
        self._bytes += size
        while self._bytes > self.budget:
            _, gone = self._held.popitem(last=False)
            self._bytes -= gone.numel() * gone.element_size()
            self.counts.evicted += 1

    def clear(self) -> None:
        """Give everything up, what has been offered too."""
        self._held.clear()
        self._offered.clear()
        self._bytes = 0

    def _offered_before(self, key: Hashable) -> bool:
        if key in self._offered:
            del self._offered[key]
            return True
        self._offered[key] = None
        if len(self._offered) > self._remembered:
            self._offered.popitem(last=False)
        return False
