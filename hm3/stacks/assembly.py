"""A stack as a stock transformers model in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from hm3.checkpoints.settings import settings_of
from hm3.errors import CheckpointError
from hm3.layers import LayerBank, empty_model
from hm3.recipe import Recipe
from hm3.seams import NO_TRANSFORMS, Change, Folding, Transforms
from hm3.stacks.config import stack_config, tied


def assemble(recipe: Recipe, bank: LayerBank, seams: Transforms = NO_TRANSFORMS) -> Any:
    """The stack as a stock transformers model whose parameters are the bank's own tensors: nothing is copied.

    Only weights that a seam is folded into are the model's own, rounded as in the exported file. The model is built
    empty from the stack's config, so that every layer has its own number, mask and cache slot; then parameters are
    assigned by name.

    Args:
        recipe: The stack.
        bank: The weights.
        seams: The transform of every seam of the recipe.

    Returns:
        A ``PreTrainedModel`` in evaluation mode. `save_pretrained` refuses shared tensors: export writes them.

    Raises:
        CheckpointError: A parameter of the model is missing from the stack, or the stack has one too many.
    """
    from transformers import GenerationConfig

    checkpoints = {source.name: bank.checkpoint(source.digest) for source in recipe.sources}
    settings = deepcopy(settings_of(stack_config(recipe, checkpoints)))
    model = empty_model(settings, bank.device, bank.dtype)
    folding = Folding.of(recipe, checkpoints, seams)
    _fill(model, dict(_bank_tensors(recipe, bank, _head_of(model), folding)), recipe)
    model.tie_weights()
    host = checkpoints[recipe.embedding_host].path  # the exported stack has its generation settings too
    if (host / "generation_config.json").is_file():
        model.generation_config = GenerationConfig.from_pretrained(host)
    else:
        model.generation_config = GenerationConfig.from_model_config(model.config)
    return model.requires_grad_(False)


def _head_of(model: Any) -> str:
    """The head's name in memory; in some families' files it has another."""
    head = model.get_output_embeddings()
    return next(f"{name}.weight" for name, module in model.named_modules() if module is head)


def _fill(model: Any, tensors: Mapping[str, Tensor], recipe: Recipe) -> None:
    keys = model.load_state_dict(tensors, strict=False, assign=True)
    tied = {_head_of(model)} if model.config.tie_word_embeddings else set()
    missing = sorted({*keys.missing_keys} - tied)
    if missing or keys.unexpected_keys:
        raise CheckpointError(
            f"stack {recipe.digest[:12]}: every parameter exactly once,"
            f" got missing {missing}, unexpected {keys.unexpected_keys}"
        )


def _bank_tensors(recipe: Recipe, bank: LayerBank, head_name: str, folding: Folding) -> Iterator[tuple[str, Tensor]]:
    content = recipe.content
    family = bank.family(content.embedding)
    norm, head = bank.ending(content.head, beside=content.embedding)
    embedding, *others = bank.embedding(content.embedding)
    yield from zip(family.embedding, (embedding[: len(head)], *others), strict=True)
    for place, (digest, layer) in enumerate(content.path):
        tensors, dtype = bank.tensors(digest, layer), bank.checkpoint(digest).dtype
        for suffix, tensor in tensors.items():
            change = folding.layer(place, suffix, tensors.__getitem__)
            yield family.layer_prefix(place) + suffix, _changed(tensor, change, dtype)
    gain, *others = norm
    dtype = bank.checkpoint(content.head).dtype
    gains = (_changed(gain, folding.norm(), dtype), *others)
    yield from zip(family.norm, gains, strict=True)
    if not tied(recipe, {source.name: bank.checkpoint(source.digest) for source in recipe.sources}):
        yield head_name, _changed(head, folding.head(lambda _: gain), dtype)


def _changed(tensor: Tensor, change: Change | None, dtype: torch.dtype) -> Tensor:
    """A tensor with its seams in it, rounded to its source's type as in the file."""
    return tensor if change is None else change(tensor).to(dtype).to(tensor.dtype)
