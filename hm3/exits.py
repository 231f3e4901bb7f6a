"""Early exits: what a stack that is still being written is worth, read after its last layer so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from hm3.errors import ConfigurationError
from hm3.objectives import Evaluator, Scores
from hm3.recipe import Recipe


@runtime_checkable
class PrefixEvaluator(Evaluator, Protocol):
    """An evaluator that also reads unfinished stacks: hidden states so far, then norm and head of the head host."""

    def early(self, recipes: Sequence[Recipe]) -> list[Scores]:
        """The early-exit scores of each recipe: its own but for rounding. They are no evaluations."""
        ...

    def prefixes(self, recipes: Sequence[Recipe]) -> list[list[Scores]]:
        """For each recipe the scores after 1, 2, … of its layers; the last are its own, to the last bit."""
        ...


def prefix_evaluator(evaluator: Evaluator) -> PrefixEvaluator:
    """The evaluator, which must read early exits.

    Raises:
        ConfigurationError: It cannot.
    """
    if not isinstance(evaluator, PrefixEvaluator):
        name = type(evaluator).__name__
        raise ConfigurationError(f"early exits: an evaluator with `early` and `prefixes`, got {name}")
    return evaluator


def prefix(recipe: Recipe, length: int) -> Recipe:
    """The stack of a recipe's first `length` layers, between the same hosts."""
    path = recipe.path[:length]
    used = {recipe.embedding_host, recipe.head_host, *(ref.source for ref in path)}
    return replace(recipe, path=path, sources=tuple(source for source in recipe.sources if source.name in used))
