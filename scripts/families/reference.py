"""The reference construction: stock transformers alone. It knows nothing of how HM3 names or places tensors.

Sources are loaded whole; an empty model of the stack's config takes the state of one module after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from hm3.recipe import Recipe


def reference_model(recipe: Recipe, folders: Mapping[str, Path], config: Mapping[str, Any]) -> Any:
    """The stack as a transformers model, module by module.

    Args:
        recipe: The stack.
        folders: Name of source -> its checkpoint's folder.
        config: The stack's ``config.json``.
    """
    from transformers import AutoConfig, AutoModelForCausalLM

    settings = {key: value for key, value in config.items() if key != "model_type"}
    full = AutoConfig.for_model(config["model_type"], **settings)
    model: Any = AutoModelForCausalLM.from_config(full, dtype=torch.float32)  # type: ignore[no-untyped-call]
    sources = {name: load(folder) for name, folder in folders.items()}
    layers = _layers(model)
    for place, ref in enumerate(recipe.path):
        layers[place].load_state_dict(_layers(sources[ref.source])[ref.layer].state_dict())
    _take(model, sources[recipe.embedding_host], sources[recipe.head_host])
    return model.eval()


def load(folder: Path) -> Any:
    """A checkpoint as stock transformers loads it, in float32."""
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model.eval()


def _take(model: Any, embedding: Any, head: Any) -> None:
    """Everything outside the layers: the final norm and the head of one source, the rest of the other."""
    for name, child in _trunk(model).named_children():
        if child is _layers(model):
            continue
        source = head if "norm" in name or name == "ln_f" else embedding
        child.load_state_dict(getattr(_trunk(source), name).state_dict())
    if not model.config.tie_word_embeddings:
        model.get_output_embeddings().load_state_dict(head.get_output_embeddings().state_dict())


def _trunk(model: Any) -> Any:
    return getattr(model, model.base_model_prefix)


def _layers(model: Any) -> Any:
    trunk = _trunk(model)
    return trunk.h if hasattr(trunk, "h") else trunk.layers
