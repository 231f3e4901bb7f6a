"""A stock transformers model without weights."""

from __future__ import annotations

from typing import Any

import torch


def empty_model(config: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """The causal language model of a config, in evaluation mode.

    Its parameters have shapes and no memory. What no file holds, rotary tables or an embedding's scale, is there: each
    module has computed it as it always does.

    Args:
        config: Of transformers' own config class.
        device: Where its buffers live.
        dtype: Of its parameters.
    """
    from accelerate import init_empty_weights
    from transformers import AutoModelForCausalLM

    with init_empty_weights(include_buffers=False):
        model: Any = AutoModelForCausalLM.from_config(config, dtype=dtype)  # type: ignore[no-untyped-call]
    for module in model.modules():
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, buffer.to(device))
    return model.eval().requires_grad_(False)
