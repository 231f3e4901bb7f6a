"""What the settings of a LoRA adapter must look like before peft reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from hm3.checkpoints.reading import RefusedError
from hm3.checks import by_name, flag, listing, number, whole
from hm3.errors import ConfigurationError

_MOST = 1_000_000  # ranks and layers: more than any model has
_Check = Callable[[str, object], object]


def check_settings(file: str, config: Mapping[str, Any]) -> None:
    """See that every setting that has a meaning is of its kind; what is null or left out is peft's default.

    Args:
        file: For messages.
        config: Of the adapter.

    Raises:
        RefusedError: One is not.
    """
    for key, check in _KINDS.items():
        if config.get(key) is not None:
            try:
                check(f"{file}: {key}", config[key])
            except ConfigurationError as error:
                raise RefusedError(str(error)) from error


def _rank(name: str, value: object) -> None:
    whole(name, value, 1, _MOST)


def _scale(name: str, value: object) -> None:
    number(name, value, -_MOST, _MOST)


def _layers(name: str, value: object) -> None:
    for layer in listing(name, [value] if isinstance(value, int) else value):
        whole(name, layer, 0, _MOST)


def _modules(name: str, value: object) -> None:
    """Names, or one expression."""
    for text in listing(name, [value] if isinstance(value, str) else value):
        _expression(name, text)


def _by_module(check: _Check) -> _Check:
    def checked(name: str, value: object) -> None:
        for module, each in by_name(name, value).items():
            _expression(name, module)
            check(f"{name}.{module}", each)

    return checked


def _expression(name: str, text: object) -> None:
    """Module names are regular expressions to peft."""
    try:
        if not isinstance(text, str) or not text:
            raise ConfigurationError(f"{name}: names of modules, got {text!r}")
        re.compile(text)
    except re.error as error:
        raise ConfigurationError(f"{name}: names of modules or an expression, got {text!r} ({error})") from error


_KINDS: Mapping[str, _Check] = {
    "r": _rank,
    "lora_alpha": _scale,
    "rank_pattern": _by_module(_rank),
    "alpha_pattern": _by_module(_scale),
    "fan_in_fan_out": flag,
    "use_rslora": flag,
    "target_modules": _modules,
    "exclude_modules": _modules,
    "modules_to_save": _modules,
    "layers_pattern": _modules,
    "layers_to_transform": _layers,
}
