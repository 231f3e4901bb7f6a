"""A config.json as transformers reads it: defaults filled in, old spellings in their present form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hm3.checkpoints.reading import one_line
from hm3.errors import CheckpointError


def settings_of(config: Mapping[str, Any]) -> Any:
    """The config as an instance of its family's own config class; shared, so not to be changed.

    Raises:
        CheckpointError: transformers has no such class, or it refuses a value.
    """
    return _settings(json.dumps(config, sort_keys=True))  # a copy: config classes write into what they are given


@lru_cache(maxsize=256)
def _settings(text: str) -> Any:
    from transformers import AutoConfig

    config = json.loads(text)
    model_type = config.pop("model_type", None)
    for key in ("id2label", "label2id", "num_labels"):  # a number of labels becomes as many texts
        config.pop(key, None)
    try:
        return AutoConfig.for_model(model_type, **config)
    except Exception as error:  # whatever its validators stumble over
        words = one_line(error)
        raise CheckpointError(f"config.json: what transformers' {model_type} reads, got {words}") from error
