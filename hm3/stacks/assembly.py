"""A stack as a stock transformers model in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from hm3.errors import CheckpointError
from hm3.layers import LayerBank
from hm3.recipe import Recipe
from hm3.stacks.config import stack_config, tied


def assemble(recipe: Recipe, bank: LayerBank) -> Any:
    """The stack as a stock transformers model whose parameters are the bank's own tensors: nothing is copied.

    The model is built empty from the stack's config, so that every layer has its own number, mask and cache slot; then
    parameters are assigned by name.

    Returns:
        A ``PreTrainedModel`` in evaluation mode. `save_pretrained` refuses shared tensors: export writes them.

    Raises:
        CheckpointError: A parameter of the model is missing from the stack, or the stack has one too many.
    """
    from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

    checkpoints = {source.name: bank.checkpoint(source.digest) for source in recipe.sources}
    config = stack_config(recipe, checkpoints)
    model_type = config.pop("model_type")
    with torch.device("meta"):
        full = AutoConfig.for_model(model_type, **config)
        model: Any = AutoModelForCausalLM.from_config(full, dtype=bank.dtype)  # type: ignore[no-untyped-call]
    state = dict(_bank_tensors(recipe, bank))
    keys = model.load_state_dict(state, strict=False, assign=True)
    without = {name for name in keys.missing_keys if model.config.tie_word_embeddings and name == "lm_head.weight"}
    if set(keys.missing_keys) - without or keys.unexpected_keys:
        raise CheckpointError(
            f"stack {recipe.digest[:12]}: every parameter exactly once,"
            f" got missing {keys.missing_keys}, unexpected {keys.unexpected_keys}"
        )
    model.tie_weights()
    _fill_buffers(model, bank.device)
    host = checkpoints[recipe.embedding_host].path  # the exported stack has its generation settings too
    if (host / "generation_config.json").is_file():
        model.generation_config = GenerationConfig.from_pretrained(host)
    else:
        model.generation_config = GenerationConfig.from_model_config(model.config)
    return model.eval().requires_grad_(False)


def _bank_tensors(recipe: Recipe, bank: LayerBank) -> Iterator[tuple[str, Tensor]]:
    content = recipe.content
    family = bank.family(content.embedding)
    yield from zip(family.embedding, bank.embedding(content.embedding), strict=True)
    for place, (digest, layer) in enumerate(content.path):
        for suffix, tensor in bank.layer(digest, layer).tensors().items():
            yield family.layer_prefix(place) + suffix, tensor
    norm, head = bank.ending(content.head)
    yield from zip(family.norm, norm, strict=True)
    if not tied(recipe, {source.name: bank.checkpoint(source.digest) for source in recipe.sources}):
        yield family.head, head


def _fill_buffers(model: Any, device: torch.device) -> None:
    """Give modules with buffers that no file holds (rotary tables) what their constructor computes."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if any(buffer.is_meta for buffer in child.buffers(recurse=False)):
                with torch.device(device):
                    setattr(module, name, type(child)(model.config))
