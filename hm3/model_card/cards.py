"""Whole cards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from huggingface_hub import EvalResult

from hm3.model_card import sections
from hm3.model_card.front_matter import front_matter, results_of
from hm3.model_card.licences import agreed, licences_of
from hm3.model_card.origins import given, hub_ids
from hm3.objectives import Preference
from hm3.parameter.pareto import is_conditioned
from hm3.recipe import Recipe
from hm3.runs import FrontFile, Member


def model_card(
    front: FrontFile,
    member: Member,
    *,
    preference: Preference | None = None,
    place: str = ".",
    dtype: torch.dtype | None = None,
    picture: bool = False,
    untied: int = 0,
) -> str:
    """The card of a candidate: what it is made of, what it scores, and how it was found.

    Args:
        front: The run's result.
        member: The candidate.
        preference: What it was chosen for, where anybody said so.
        place: From where people will load it: ``org/name``, or a folder.
        dtype: Of the weights.
        picture: Whether the run's picture, ``front.png``, lies beside the card.
        untied: Bytes that the files have more because a seam parts embedding and head.

    Returns:
        Markdown with front matter. What licences the sources have is read from their own cards, where these are here.
    """
    about = (*sections.found(front, preference, picture=picture), *sections.scores(front, member))
    made = "Layers of several models in a new order, found by HM3"
    return _card(member.recipe, made, about, results_of(front, member), place, dtype, untied)


def stack_card(recipe: Recipe, *, place: str = ".", dtype: torch.dtype | None = None, untied: int = 0) -> str:
    """The card of any stack, also one that nobody has scored; arguments as for `model_card`."""
    made = "Layers of several models in a new order, put together with HM3 from a recipe"
    return _card(recipe, made, (), [], place, dtype, untied)


def _card(
    recipe: Recipe,
    made: str,
    about: Iterable[str],
    results: list[EvalResult],
    place: str,
    dtype: torch.dtype | None,
    untied: int,
) -> str:
    found = given(recipe)
    licences = licences_of(found)
    title = f"A stack of {recipe.depth} layers, {recipe.digest[:8]}"

    def lines() -> Iterator[str]:
        yield front_matter(hub_ids(found), agreed(licences), title, results)
        yield f"# {title}\n"
        yield f"{made}. Stock transformers loads it; {_trained(recipe)} trained."
        yield from about
        yield from sections.layers(recipe, untied)
        yield from sections.sources(recipe, found)
        yield from sections.licences(licences)
        yield from sections.use(place, str(dtype or "").removeprefix("torch."))

    return "\n".join(lines()) + "\n"


def _trained(recipe: Recipe) -> str:
    """What was: for a merge that follows preferences the terms that it adds to its base."""
    conditioned = any(is_conditioned(source) for source in recipe.sources)
    return "only the low-rank terms of its merged source were" if conditioned else "nothing was"
