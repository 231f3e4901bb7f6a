"""YAML without surprises: no key twice, no anchors, nothing executed, at most a megabyte."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from hm3.errors import ConfigurationError

MOST = 1_000_000  # bytes


def read_yaml(name: str, file: Path) -> Any:
    """The value in a YAML file, which may be JSON; `name` is the setting that named the file.

    Raises:
        ConfigurationError: It cannot be read, is no YAML, too large, or uses what is not allowed.
    """
    try:
        text = file.read_bytes()[: MOST + 1]
        if len(text) > MOST:
            raise ConfigurationError(f"{name}: a file of at most {MOST} bytes, got {file}")
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader with fewer abilities
    except OSError as error:
        raise ConfigurationError(f"{name}: a readable file, got {file} ({error.strerror})") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError(f"{name}: YAML, got {file} ({' '.join(str(error).split())[:160]})") from error


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):  # a few of them can stand for billions of values
            raise yaml.YAMLError("no anchors, please")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping = super().construct_mapping(node, deep)
        if len(mapping) < len(node.value):
            raise yaml.YAMLError("a key twice")
        return mapping
