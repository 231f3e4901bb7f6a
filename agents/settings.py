"""What the settings of agents must be; people state them under ``agent`` in the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from hm3.checks import listing, number, whole
from hm3.errors import ConfigurationError

_share = partial(number, low=0, high=1)
_strength = partial(number, low=0, high=1000)


def _schedule(rule: Callable[[str, object], float], name: str, value: object) -> None:
    """From the first to the last rollout."""
    ends = listing(name, value)
    if len(ends) != 2:
        raise ConfigurationError(f"{name}: two numbers, for the first and the last rollout, got {value!r}")
    for end in ends:
        rule(name, end)


PPO_RULES: Mapping[str, Callable[[str, object], object]] = {
    "gamma": _share,
    "gae_lambda": _share,
    "learning_rate": partial(_schedule, _share),
    "beta": partial(_schedule, _strength),
    "entropy": _strength,
    "clip": partial(number, low=0, above=True),
    "epochs": partial(whole, low=1),
    "relabels": partial(whole, low=0),
    "imitation": partial(whole, low=0),
    "batch_size": partial(whole, low=1),
    "width": partial(whole, low=1, high=4096),
}
SEARCH_RULES: Mapping[str, Callable[[str, object], object]] = {"beta": _strength, "restart": _share}


def check_settings(rules: Mapping[str, Callable[[str, object], object]], **settings: object) -> None:
    """See that settings are what their rules say.

    Raises:
        ConfigurationError: One is not.
    """
    for name, value in settings.items():
        rules[name](f"agent.{name}", value)
