"""From a recipe to a model: its config, its tensors by name, and the model assembled in memory.

Layers are numbered by their place in the stack, never by where they came from: the KV cache is indexed by that number,
so a layer that keeps its old one, or occurs twice under one number, computes something else without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.layers import Family, LayerBank, family_of
from hm3.recipe import Recipe

PER_LAYER = ("layer_types", "no_rope_layers", "mlp_layer_types")  # config lists with one entry for each layer


def stack_config(recipe: Recipe, checkpoints: Mapping[str, Checkpoint]) -> dict[str, Any]:
    """The ``config.json`` of a stack: the embedding host's, with its own depth and per-layer lists.

    Args:
        recipe: The stack.
        checkpoints: Name of source -> checkpoint, for every source of the recipe.

    Raises:
        CheckpointError: The stack names a layer that its source lacks.
    """
    for ref in recipe.path:
        if not 0 <= ref.layer < checkpoints[ref.source].depth:
            raise _no_layer(checkpoints[ref.source], ref.layer)
    config = dict(checkpoints[recipe.embedding_host].config)
    config["num_hidden_layers"] = recipe.depth
    for key in PER_LAYER:
        config.pop(key, None)  # where a source doesn't say, transformers derives the list
        lists: list[Any] = [checkpoints[ref.source].config.get(key) for ref in recipe.path]
        if all(lists):
            config[key] = [entries[ref.layer] for entries, ref in zip(lists, recipe.path, strict=True)]
    config["tie_word_embeddings"] = _tied(recipe, checkpoints)
    config.pop("_name_or_path", None)
    return config


def stack_tensors(recipe: Recipe, checkpoints: Mapping[str, Checkpoint]) -> Iterator[tuple[str, Tensor]]:
    """The stack's tensors under their names in the exported file, one after the other, in the sources' own type."""
    host, head = checkpoints[recipe.embedding_host], checkpoints[recipe.head_host]
    family = family_of(host.name, host.config)
    yield family.embedding, host.tensor(family.embedding)
    for place, ref in enumerate(recipe.path):
        source = checkpoints[ref.source]
        for name in _layer_names(source, family, ref.layer):
            suffix = name.removeprefix(family.layer_prefix(ref.layer))
            yield family.layer_prefix(place) + suffix, source.tensor(name)
    yield family.norm, head.tensor(family.norm)
    if not _tied(recipe, checkpoints):
        yield family.head, head.tensor(_head_name(head, family))


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
    tied = {name for name in keys.missing_keys if model.config.tie_word_embeddings and name == "lm_head.weight"}
    if set(keys.missing_keys) - tied or keys.unexpected_keys:
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
    family, key_width = bank.family(content.embedding), bank.decoder(content.embedding, 1).key_width
    yield family.embedding, bank.embedding(content.embedding)
    for place, (digest, layer) in enumerate(content.path):
        for suffix, tensor in bank.layer(digest, layer).unstack(key_width).items():
            yield family.layer_prefix(place) + suffix, tensor
    norm, head = bank.head(content.head)
    yield family.norm, norm
    if not _tied(recipe, {source.name: bank.checkpoint(source.digest) for source in recipe.sources}):
        yield family.head, head


def _fill_buffers(model: Any, device: torch.device) -> None:
    """Give modules with buffers that no file holds (rotary tables) what their constructor computes."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if any(buffer.is_meta for buffer in child.buffers(recurse=False)):
                with torch.device(device):
                    setattr(module, name, type(child)(model.config))


def _tied(recipe: Recipe, checkpoints: Mapping[str, Checkpoint]) -> bool:
    """Embedding and head are one tensor only where one source gives both and ties them itself."""
    host = checkpoints[recipe.embedding_host]
    family = family_of(host.name, host.config)
    return recipe.embedding_host == recipe.head_host and family.head not in host.tensors


def _head_name(source: Checkpoint, family: Family) -> str:
    return family.head if family.head in source.tensors else family.embedding


def _layer_names(source: Checkpoint, family: Family, layer: int) -> list[str]:
    names = family.layer_names(source.tensor_names, layer)
    if not names:
        raise _no_layer(source, layer)
    return names


def _no_layer(source: Checkpoint, layer: int) -> CheckpointError:
    return CheckpointError(f"source {source.name}: layers are 0 to {source.depth - 1}, got {layer}")
