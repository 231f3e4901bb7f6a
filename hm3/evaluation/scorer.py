"""Scoring stacks on token rows: every distinct prefix is computed once.

Stacks are walked in lexicographic order of their paths, bucket by bucket: what the next stack shares with the last one
is still at hand, so a batch needs the memory of one path only. What recurs between batches is in the prefix cache.

A layer is always applied to one prefix and one whole bucket. Shapes therefore never depend on what else is in the
batch or the cache, and a stack's scores are the same bits in whatever company it is scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hm3.evaluation.prefixes import PrefixCache
from hm3.evaluation.rows import Bucket, Row, pack
from hm3.layers import Decoder, LayerBank
from hm3.recipe import Content


@dataclass(frozen=True, slots=True)
class Responses:
    """What stacks answered.

    Attributes:
        log_likelihood: (stacks, rows) float64; NaN where a stack gave NaN or infinity.
        greedy: (stacks, rows) bool: every answer token was the argmax.
    """

    log_likelihood: Tensor
    greedy: Tensor

    @classmethod
    def empty(cls, stacks: int, rows: int) -> Responses:
        """Room for the answers of so many stacks on so many rows."""
        return cls(torch.zeros(stacks, rows, dtype=torch.float64), torch.zeros(stacks, rows, dtype=torch.bool))


class StackScorer:
    """Scores stacks on fixed sets of rows, in this process.

    Args:
        bank: The weights.
        row_sets: Lists of rows; a call names one by its index.
        cache_bytes: Budget of the prefix cache.
    """

    def __init__(self, bank: LayerBank, row_sets: Sequence[Sequence[Row]], cache_bytes: int) -> None:
        self.bank = bank
        self.cache = PrefixCache(cache_bytes)
        self._buckets = [[bucket.to(bank.device) for bucket in pack(rows)] for rows in row_sets]
        self._sizes = [len(rows) for rows in row_sets]
        self._length = max((len(row.tokens) for rows in row_sets for row in rows), default=1)
        self._decoders: dict[str, Decoder] = {}

    @torch.no_grad()
    def score(self, stacks: Sequence[Content], row_set: int) -> Responses:
        """Answers of all `stacks` on one row set."""
        responses = Responses.empty(len(stacks), self._sizes[row_set])
        order = sorted(range(len(stacks)), key=lambda i: (stacks[i].embedding, stacks[i].path))
        for number, bucket in enumerate(self._buckets[row_set]):
            walk = _Walk(self.bank, self.cache, bucket, (row_set, number))
            for i in order:
                hidden = walk.descend(stacks[i], self._decoder(stacks[i].embedding))
                _answer(bucket, self._logits(stacks[i], hidden, bucket), responses, i)
        return responses

    def drop(self, digest: str) -> None:
        """Forget a source. Hidden states that it gave stay in the cache: they are right whenever it comes back."""
        self.bank.drop(digest)
        self._decoders.pop(digest, None)

    def _decoder(self, host: str) -> Decoder:
        if host not in self._decoders:
            self._decoders[host] = self.bank.decoder(host, self._length)
        return self._decoders[host]

    def _logits(self, stack: Content, hidden: Tensor, bucket: Bucket) -> Tensor:
        decoder = self._decoder(stack.embedding)
        last = decoder.last_layer(self.bank.layer(*stack.path[-1]), hidden, bucket.slots, bucket.used)
        return decoder.logits(*self.bank.head(stack.head), last).float()


class _Walk:
    """Hidden states along the current path on one bucket; `descend` moves to the next path."""

    def __init__(self, bank: LayerBank, cache: PrefixCache, bucket: Bucket, place: tuple[int, int]) -> None:
        self._bank, self._cache, self._bucket, self._place = bank, cache, bucket, place
        self._host = ""
        self._path: tuple[tuple[str, int], ...] = ()
        self._states: list[Tensor | None] = []  # after 0, 1, 2, … layers; None where a cached one was deeper

    def descend(self, stack: Content, decoder: Decoder) -> Tensor:
        """Hidden states (rows, length, width) in front of the stack's last layer."""
        inner = stack.path[:-1]
        self._rewind(stack.embedding, inner)
        depth, hidden = self._deepest(stack.embedding, inner)
        for layer in range(depth, len(inner)):
            hidden = decoder.layer(self._bank.layer(*inner[layer]), hidden)
            self._states[layer + 1] = hidden
            self._cache.offer(self._key(inner[: layer + 1]), hidden)
        return hidden

    def _rewind(self, host: str, path: tuple[tuple[str, int], ...]) -> None:
        """Keep what the last path and this one share; make room for the rest."""
        shared = _shared(self._path, path) if host == self._host else -1
        kept = self._states[: shared + 1]
        self._states = kept + [None] * (len(path) + 1 - len(kept))
        self._host, self._path = host, path

    def _deepest(self, host: str, path: tuple[tuple[str, int], ...]) -> tuple[int, Tensor]:
        """The longest prefix whose hidden states are known, and these states."""
        self._cache.counts.lookups += len(path)
        for depth in range(len(path), 0, -1):
            hidden = self._states[depth]
            if hidden is None:
                hidden = self._cache.get(self._key(path[:depth]))
            if hidden is not None:
                self._cache.counts.hits += depth
                self._states[depth] = hidden
                return depth, hidden
        embedded = self._bank.embedding(host)[self._bucket.tokens]
        self._states[0] = embedded
        return 0, embedded

    def _key(self, prefix: tuple[tuple[str, int], ...]) -> tuple[object, ...]:
        return (*self._place, self._host, prefix)


def _shared(first: Sequence[object], second: Sequence[object]) -> int:
    return sum(1 for _ in _equal_prefix(first, second))


def _equal_prefix(first: Sequence[object], second: Sequence[object]) -> Iterator[object]:
    for a, b in zip(first, second, strict=False):
        if a != b:
            return
        yield a


def _answer(bucket: Bucket, logits: Tensor, responses: Responses, stack: int) -> None:
    """Write one stack's answers on one bucket; `logits` is (real slots, vocabulary)."""
    chosen = logits.gather(1, bucket.targets[:, None])[:, 0] - logits.logsumexp(dim=1)
    missed = logits.argmax(dim=1) != bucket.targets
    totals = torch.zeros(len(bucket.rows), dtype=torch.float64, device=logits.device)
    totals.index_add_(0, bucket.owners, chosen.double())
    misses = torch.zeros(len(bucket.rows), dtype=torch.long, device=logits.device)
    misses.index_add_(0, bucket.owners, missed.long())
    rows = bucket.rows.cpu()
    responses.log_likelihood[stack, rows] = torch.where(totals.isfinite(), totals, torch.nan).cpu()
    responses.greedy[stack, rows] = (misses == 0).cpu()
