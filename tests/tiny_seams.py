"""Stacks with seams, small: fitted, scored with seams between their layers, and with seams in their weights."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from hm3.checkpoints import Checkpoint
from hm3.evaluation.routes import Routes
from hm3.layers import LayerBank
from hm3.model_folder import write_model
from hm3.recipe import Content, LayerRef, Recipe
from hm3.seams import Calibration, Fits, SeamValues, Transforms
from tests.tiny_stacks import bank_of

LENGTH = 24
# A first layer that is none, a repeated seam, a repeated layer, and a head that another layer is at home with.
PATH = "a1 b2 a1 b2 b2 b3 a2"


def token_rows(count: int, length: int, vocabulary: int, seed: int = 0) -> tuple[tuple[int, ...], ...]:
    """Random tokens that are no special ones."""
    choose = random.Random(seed)
    return tuple(tuple(choose.randrange(4, vocabulary) for _ in range(length)) for _ in range(count))


@dataclass(frozen=True)
class Lab:
    """Two sources, ``a`` and ``b``, and a rule.

    Attributes:
        sources: By name.
        rule: At seams.
        vocabulary: Tokens that rows may have.
    """

    sources: Mapping[str, Checkpoint]
    rule: str
    vocabulary: int = 120

    @cached_property
    def bank(self) -> LayerBank:
        """Both sources, in float32."""
        return bank_of(self.sources)

    @cached_property
    def fits(self) -> Fits:
        """Seams of the rule, fitted on random rows."""
        return Fits(self.rule, self.bank, Calibration(token_rows(12, 30, self.vocabulary)))

    @cached_property
    def tokens(self) -> Tensor:
        """Rows that nothing was fitted on."""
        return torch.tensor(token_rows(3, LENGTH, self.vocabulary, seed=1))

    def recipe(self, path: str = PATH, host: str = "a", head: str = "b", *, seam: str | None = None) -> Recipe:
        """A recipe from words such as ``a0 b1``, with seams of the rule."""
        named = {name: checkpoint.source for name, checkpoint in self.sources.items()}
        refs = [LayerRef(layer[0], int(layer[1:])) for layer in path.split()]
        return Recipe.build(refs, host, head, named, seam or self.fits.name)

    def values(self, recipe: Recipe) -> SeamValues:
        """What was fitted for its seams."""
        return SeamValues(self.fits.of([recipe.content]))

    def hooked(self, recipe: Recipe) -> Tensor:
        """Logits of `tokens` with the seams between the layers, as the scorer runs them."""
        return hooked_logits(self.bank, recipe.content, self.tokens, self.fits.of([recipe.content]))

    def plain(self, recipe: Recipe) -> Tensor:
        """Logits of `tokens` without seams."""
        return hooked_logits(self.bank, replace(recipe, seam="none").content, self.tokens, {})

    def write(self, folder: Path, recipe: Recipe) -> Path:
        """The exported model."""
        return write_model(folder, recipe, self.sources, "card", seams=self.values(recipe))


@torch.inference_mode()
def hooked_logits(bank: LayerBank, stack: Content, tokens: Tensor, seams: Transforms) -> Tensor:
    """Logits at every position."""
    route = Routes(bank, lambda host: bank.forward(host, tokens.shape[1]), seams).of(stack)
    hidden = route.forward.begin(bank.embedding(stack.embedding), tokens)
    for layer, crossing in zip(stack.path, route.crossings, strict=False):
        hidden = crossing.forward.layer(bank.layer(*layer), crossing.over(hidden))
    last, ending = route.crossings[-1], bank.ending(stack.head, beside=stack.embedding)
    return last.forward.logits(ending, last.over(hidden).flatten(0, 1)).unflatten(0, tuple(tokens.shape))
