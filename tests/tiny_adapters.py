"""Tiny LoRA adapters, written by peft as its users write them."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

TARGETS = ("q_proj", "v_proj", "down_proj")


def write_adapter(folder: Path, base: Path, *, seed: int = 0, **settings: Any) -> Path:
    """Write an adapter of `base` with random weights everywhere.

    Args:
        folder: Where; made if need be.
        base: The checkpoint.
        seed: Of the weights; the caller's generator is left as it was.
        settings: Of peft's ``LoraConfig``.

    Returns:
        `folder`.
    """
    settings = {"r": 4, "lora_alpha": 8, "target_modules": list(TARGETS), "task_type": "CAUSAL_LM", **settings}
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peft calls what transformers deprecates
        torch.manual_seed(seed)
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(**settings))
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(0.1 * torch.randn_like(parameter))
        model.save_pretrained(folder)
    return folder


def edit_adapter(folder: Path, **changes: Any) -> Path:
    """Change keys of an adapter's config."""
    file = folder / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return folder
