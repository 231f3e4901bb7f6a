"""A stack's seams, folded into the weights behind them: stock code then computes what the seams would have done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from hm3.checkpoints import SourceModel
from hm3.errors import CheckpointError
from hm3.recipe import Recipe
from hm3.recipe.junctions import Junction, junctions
from hm3.seams.basis import Basis, bases
from hm3.seams.families import stream_of
from hm3.seams.foldable import check_foldable, residual_width
from hm3.seams.roles import Change, Gain, Reader, Sibling
from hm3.seams.rules import rule_of
from hm3.seams.transform import Transform


def stack_seams(recipe: Recipe, checkpoints: Mapping[str, SourceModel]) -> list[Junction]:
    """Where a recipe's rule does something; nowhere where it has none."""
    return [] if rule_of(recipe.seam) is None else [each for each in _junctions(recipe, checkpoints) if each.is_seam]


def turns_head(recipe: Recipe, checkpoints: Mapping[str, SourceModel]) -> bool:
    """Whether a rotation reaches the head, which then cannot be the embedding."""
    rule = rule_of(recipe.seam)
    return rule is not None and rule.turns and bool(stack_seams(recipe, checkpoints))


@dataclass(frozen=True)
class Folding:
    """What becomes of a stack's tensors.

    Attributes:
        recipe: The stack.
        checkpoints: Name of source -> checkpoint, for every source of the recipe.
        bases: Of the file's stream before each layer, and before the head.
    """

    recipe: Recipe
    checkpoints: Mapping[str, SourceModel]
    bases: list[Basis]

    @classmethod
    def of(cls, recipe: Recipe, checkpoints: Mapping[str, SourceModel], seams: Mapping[Junction, Transform]) -> Folding:
        """From a stack and its transforms.

        Raises:
            CheckpointError: A seam has no transform, or the wrong one, or cannot be folded into the weights.
        """
        path, rule = _junctions(recipe, checkpoints), rule_of(recipe.seam)
        if rule is None:
            return cls(recipe, checkpoints, [Basis()] * len(path))
        check_foldable(rule.name, checkpoints.values())
        if missing := [each for each in path if each.is_seam and each not in seams]:
            left, home = missing[0]
            raise CheckpointError(
                f"recipe.seam {recipe.seam[:24]}: fitted values for every seam, got none from layer {left.layer} of"
                f" {left.source[:12]} to layer {home.layer} of {home.source[:12]}"
            )
        width = residual_width(checkpoints[recipe.embedding_host])
        for turn in (seams[each].rotation for each in path if each.is_seam):
            if turn is not None and turn.shape != (width, width):
                raise CheckpointError(f"recipe.seams: rotations as wide as the stream, {width}, got {list(turn.shape)}")
        return cls(recipe, checkpoints, bases(path, seams))

    def layer(self, place: int, name: str, sibling: Sibling) -> Change | None:
        """What becomes of a tensor of the layer at `place`; None for nothing.

        Args:
            place: In the stack.
            name: The tensor's, after the layer's prefix.
            sibling: Gives other tensors of the layer.

        Raises:
            CheckpointError: Nobody knows what the tensor does to the stream.
        """
        basis = self.bases[place]
        if basis.plain:
            return None
        source = self.checkpoints[self.recipe.path[place].source]
        role = stream_of(source).role(name)
        if role is None:
            known = f"a layer whose tensors are those of a plain {source.model_type}"
            raise CheckpointError(f"source {source.name}: for seams, {known}, got {name}")
        return role.change(basis, sibling)

    def norm(self) -> Change | None:
        """What becomes of the final norm's gain."""
        return Gain().change(self.bases[-1], _none)

    def head(self, sibling: Sibling) -> Change | None:
        """What becomes of the head; `sibling` gives the final norm's gain."""
        return Reader("").change(self.bases[-1], sibling)


def _none(name: str) -> torch.Tensor:
    raise KeyError(name)


def _junctions(recipe: Recipe, checkpoints: Mapping[str, SourceModel]) -> tuple[Junction, ...]:
    return junctions(recipe.content, checkpoints[recipe.head_host].depth)
