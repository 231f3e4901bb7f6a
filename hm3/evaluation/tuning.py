"""Conditioned sources come with the recipes that are scored, each with weights of its own, and go with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from hm3.checkpoints import Checkpoint
from hm3.errors import ConfigurationError
from hm3.evaluation.tuner import Tuner
from hm3.evaluation.workers import Scorer
from hm3.layers import LayerBank
from hm3.parameter.pareto import METHOD, ParetoTensor, check_fits, is_conditioned
from hm3.recipe import Recipe, Source
from hm3.seams import NONE


class Tuning(Protocol):
    """What is done about conditioned sources."""

    def tunes(self, recipe: Recipe) -> bool:
        """Whether a recipe has layers whose terms are applied beside the matrices, not in them."""
        ...

    def known(self, recipes: Iterable[Recipe]) -> AbstractContextManager[None]:
        """For as long as this is entered, all sources of these recipes are known."""
        ...


class NoTuning:
    """All sources are known for good."""

    def tunes(self, recipe: Recipe) -> bool:
        """Never."""
        return False

    def known(self, recipes: Iterable[Recipe]) -> AbstractContextManager[None]:
        """As they are."""
        return nullcontext()


class ConditionedSources:
    """Makes conditioned sources known where recipes are scored and assembled, for as long as they are.

    A conditioned source that is known already, because its merge was built, stays as it is.

    Args:
        scorer: Scores the recipes.
        bank: Gives assembled models their weights.
    """

    def __init__(self, scorer: Scorer, bank: LayerBank) -> None:
        self._scorer, self._bank = scorer, bank
        self._tuner = Tuner(bank)

    def load(self, tensor: ParetoTensor, base: Checkpoint) -> None:
        """Make a tensor known with its base; its sources then are known whenever a recipe has them.

        Raises:
            CheckpointError: It was trained for another base.
        """
        check_fits(tensor, base)
        self._tuner.load(tensor.digest, tensor, base)
        self._scorer.load(tensor.digest, tensor, base)

    def tunes(self, recipe: Recipe) -> bool:
        """Whether a recipe has layers whose terms are applied beside the matrices, not in them."""
        return any(self._new([recipe]))

    @contextmanager
    def known(self, recipes: Iterable[Recipe]) -> Iterator[None]:
        """For as long as this is entered, all sources of these recipes are known.

        Raises:
            CheckpointError: The tensor of one of them is not known.
        """
        new = {source.digest: source for source in self._new(recipes)}
        try:
            for digest, source in new.items():
                self._tuner.tune(digest, source)
                self._scorer.tune(digest, source)
            yield
        finally:
            for digest in new:
                self._bank.drop(digest)
                self._scorer.drop(digest)

    def _new(self, recipes: Iterable[Recipe]) -> Iterator[Source]:
        sources = (source for recipe in recipes for source in recipe.sources)
        return (source for source in sources if is_conditioned(source) and source.digest not in self._bank)


def check_unseamed(seam: str) -> None:
    """See that conditioned sources may be used: seams are fitted on what whole sources compute, and these are many.

    Args:
        seam: The run's rule at seams, with or without its fit.

    Raises:
        ConfigurationError: There is one.
    """
    if seam != NONE:
        rule, _, _ = seam.partition(":")
        raise ConfigurationError(f"env.seam: {NONE} with sources that follow the preference ({METHOD}), got {rule}")
