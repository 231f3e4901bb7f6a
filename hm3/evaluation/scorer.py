"""Scoring stacks on token rows: every distinct prefix is computed once.

Stacks are walked in lexicographic order of their paths, bucket by bucket: what the next stack shares with the last one
is still at hand, so a batch needs the memory of one path only. What recurs between batches is in the prefix cache.
An early exit is a stop on the same walk: hidden states that are there anyway, read by norm and head. At seams hidden
states are transformed on their way; weights are left alone.

A layer is always applied to one prefix and one whole bucket. Shapes therefore never depend on what else is in the
batch or the cache, and a stack's scores are the same bits in whatever company it is scored. Other bucket sizes, whether
set or forced by want of memory, change scores by rounding only.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hm3.errors import ConfigurationError
from hm3.evaluation.memory import out_of_memory
from hm3.evaluation.prefixes import PrefixCache
from hm3.evaluation.responses import Responses
from hm3.evaluation.routes import Route, Routes
from hm3.evaluation.rows import BUCKET_TOKENS, Bucket, Buckets, Row
from hm3.evaluation.walk import Walk
from hm3.layers import Forward, LayerBank, answers
from hm3.recipe import Content
from hm3.seams import NO_TRANSFORMS, Transforms

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Stop:
    """A stack on the walk.

    Attributes:
        place: Where its answers belong.
        route: The stack's way.
        exit: Whether its last layer runs at every position, for others to go on from, or at answer positions only.
    """

    place: int
    route: Route
    exit: bool

    @property
    def reached(self) -> int:
        """How many layers run at every position."""
        return len(self.route.stack.path) - (not self.exit)

    @property
    def order(self) -> tuple[object, ...]:
        """Where it comes on the walk."""
        path = self.route.stack.path
        return self.route.start, path[: self.reached], path


class StackScorer:
    """Scores stacks on fixed sets of rows, in this process.

    Where memory runs out, it gives up the prefix cache's content, halves its buckets and begins the call again.

    Args:
        bank: The weights.
        row_sets: Lists of rows; a call names one by its index.
        cache_bytes: Budget of the prefix cache.
        batch_tokens: Padded tokens that run at once, unless a single row is longer.
    """

    def __init__(
        self,
        bank: LayerBank,
        row_sets: Sequence[Sequence[Row]],
        cache_bytes: int,
        batch_tokens: int = BUCKET_TOKENS,
    ) -> None:
        self.bank = bank
        self.cache = PrefixCache(cache_bytes)
        self.buckets = Buckets(row_sets, batch_tokens, bank.device)
        self._sizes = [len(rows) for rows in row_sets]
        self._length = max((len(row.tokens) for rows in row_sets for row in rows), default=1)
        self._forwards: dict[str, Forward] = {}

    @torch.inference_mode()
    def score(
        self,
        stacks: Sequence[Content],
        row_set: int,
        exits: Sequence[Content] = (),
        seams: Transforms = NO_TRANSFORMS,
    ) -> Responses:
        """Answers of all `stacks`, then of all early exits `exits`, on one row set.

        An exit answers like the stack of the same content, but for rounding.

        Args:
            stacks: Whole stacks.
            row_set: The rows.
            exits: Stacks that are read as early exits.
            seams: The transform of every seam of all of them.

        Raises:
            ConfigurationError: A single row does not fit into memory.
        """
        routes = Routes(self.bank, self._forward, seams)
        stops = [_Stop(i, routes.of(stack), i >= len(stacks)) for i, stack in enumerate([*stacks, *exits])]
        stops.sort(key=lambda stop: stop.order)
        while True:
            responses = Responses.empty(len(stops), self._sizes[row_set])
            refused = self._visit(stops, row_set, responses)
            if refused is None:
                return responses
            self._make_room(refused)

    def drop(self, digest: str) -> None:
        """Forget a source. Hidden states that it gave stay in the cache: they are right whenever it comes back."""
        self.bank.drop(digest)
        self._forwards.pop(digest, None)

    def _visit(self, stops: Sequence[_Stop], row_set: int, responses: Responses) -> Bucket | None:
        """Fill in the answers of all stops; a bucket that does not fit into memory ends it and is given back."""
        for number, bucket in enumerate(self.buckets[row_set]):
            walk = Walk(self.bank, self.cache, bucket, (row_set, number))
            try:
                for stop in stops:
                    responses.fill(stop.place, bucket, self._logits(stop, walk, bucket))
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                return bucket
        return None

    def _make_room(self, refused: Bucket) -> None:
        """Give up the cache's content, and half the tokens that didn't fit; for a single row, the cache itself."""
        rows, tokens = refused.tokens.shape
        if rows > 1:
            self.buckets.shrink(rows * tokens // 2)
            _log.warning("evaluator.batch_tokens: out of memory, going on with %d", self.buckets.tokens)
        elif self.cache.budget:
            self.cache.budget = 0
            _log.warning("evaluator.cache_mb: out of memory at a row of %d tokens, going on with 0", tokens)
        else:
            rule = f"rows that fit into the memory of {self.bank.device} beside the weights (evaluator.bank_mb)"
            raise ConfigurationError(f"evaluator: {rule}, got one of {tokens} tokens")
        self.cache.clear()
        if self.bank.device.type == "cuda":
            torch.cuda.empty_cache()

    def _forward(self, host: str) -> Forward:
        home = self.bank.home(host)
        if home not in self._forwards:
            self._forwards[home] = self.bank.forward(home, self._length)
        return self._forwards[home]

    def _logits(self, stop: _Stop, walk: Walk, bucket: Bucket) -> Tensor:
        stack, crossings = stop.route.stack, stop.route.crossings
        hidden = walk.descend(stop.route, stop.reached)
        if stop.exit:
            last = answers(hidden, bucket.slots, bucket.used)
        else:
            weights, crossing = self.bank.layer(*stack.path[-1]), crossings[-2]
            last = crossing.forward.last_layer(weights, crossing.over(hidden), bucket.slots, bucket.used)
        ending = self.bank.ending(stack.head, beside=stack.embedding)
        return crossings[-1].forward.logits(ending, crossings[-1].over(last)).float()
