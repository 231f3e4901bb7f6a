"""Scoring in this process."""

from __future__ import annotations

from collections.abc import Sequence

from hm3.checkpoints import Checkpoint, SourceModel
from hm3.evaluation.prefixes import CacheCounts
from hm3.evaluation.responses import Responses
from hm3.evaluation.rows import BUCKET_TOKENS, Row
from hm3.evaluation.scorer import StackScorer
from hm3.evaluation.tuner import Tuner
from hm3.layers import LayerBank
from hm3.parameter.pareto import ParetoTensor
from hm3.recipe import Content, Source
from hm3.seams import NO_TRANSFORMS, Transforms


class LocalScorer:
    """A scorer in this process: for accelerators, and for models that fill the machine.

    Args:
        row_sets: Lists of rows.
        bank: The weights.
        cache_bytes: Budget of the prefix cache.
        batch_tokens: Padded tokens that run at once.
    """

    def __init__(
        self,
        row_sets: Sequence[Sequence[Row]],
        bank: LayerBank,
        *,
        cache_bytes: int,
        batch_tokens: int = BUCKET_TOKENS,
    ) -> None:
        self._scorer = StackScorer(bank, row_sets, cache_bytes, batch_tokens)
        self._tuner = Tuner(bank)

    def add(self, digest: str, checkpoint: SourceModel) -> None:
        """Make a source known."""
        self._scorer.bank.add(digest, checkpoint)

    def load(self, digest: str, tensor: ParetoTensor, base: Checkpoint) -> None:
        """Make a tensor known."""
        self._tuner.load(digest, tensor, base)

    def tune(self, digest: str, source: Source) -> None:
        """Make a source known that a tensor conditions."""
        self._tuner.tune(digest, source)

    def drop(self, digest: str) -> None:
        """Forget a source."""
        self._scorer.drop(digest)

    def score(
        self,
        stacks: Sequence[Content],
        row_set: int,
        exits: Sequence[Content] = (),
        seams: Transforms = NO_TRANSFORMS,
    ) -> Responses:
        """Answers of all stacks, then of all early exits, on one row set."""
        return self._scorer.score(stacks, row_set, exits, seams)

    def counts(self) -> CacheCounts:
        """What the prefix cache did so far."""
        return self._scorer.cache.counts

    def close(self) -> None:
        """Nothing is held outside this process."""
