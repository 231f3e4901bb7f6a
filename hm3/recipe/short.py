"""The form of a stack that people write by hand: sources by name and place, and a path of ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hm3.errors import ConfigurationError
from hm3.recipe.sources import Source
from hm3.recipe.stack import LayerRef, Recipe

KEYS = ("sources", "path", "embedding_host", "head_host", "on_mismatch")
MOST = 10_000  # layers: more than any model has
_RANGE = re.compile(r"(?P<source>.+):(?P<first>[0-9]{1,4})(?:-(?P<last>[0-9]{1,4}))?")


@dataclass(frozen=True, slots=True)
class ShortForm:
    """A stack as written by hand; what its layers are is known once its sources are opened.

    Attributes:
        places: Name of a source -> where it is, as a user says it.
        path: The layers, first to last.
        embedding_host: Name of the source of the embedding, the tokenizer and the config's scalars.
        head_host: Name of the source of the final norm and the head.
        on_mismatch: What to do about scalars that differ between sources; None for the default.
    """

    places: Mapping[str, str]
    path: tuple[LayerRef, ...]
    embedding_host: str
    head_host: str
    on_mismatch: str | None = None

    @classmethod
    def from_value(cls, value: Any) -> ShortForm:
        """Read ``{sources: {NAME: PLACE}, path: [NAME:FIRST-LAST, NAME:LAYER, ...]}``; ranges include both ends.

        The hosts may be stated as `embedding_host` and `head_host`; otherwise they are the sources of the first and
        of the last layer.

        Raises:
            ConfigurationError: It is something else, or names a source that it doesn't place.
        """
        if not isinstance(value, Mapping) or not {"sources", "path"} <= set(value) <= set(KEYS):
            came = ", ".join(map(str, value)) if isinstance(value, Mapping) else type(value).__name__
            raise ConfigurationError(f"recipe: sources and path, perhaps {', '.join(KEYS[2:])}, got {came[:80]}")
        places, path = _places(value["sources"]), _path(value["path"])
        hosts = [
            path[at].source if value.get(key) is None else value[key]
            for key, at in (("embedding_host", 0), ("head_host", -1))
        ]
        named = [("path", ref.source) for ref in path] + [("embedding_host", hosts[0]), ("head_host", hosts[1])]
        for where, name in named:
            if not isinstance(name, str) or name not in places:
                raise ConfigurationError(f"recipe.{where}: of the sources {', '.join(places)}, got {_brief(name)}")
        return cls(places, path, hosts[0], hosts[1], value.get("on_mismatch"))

    @property
    def used(self) -> tuple[str, ...]:
        """The names of the sources that give something, the embedding host first."""
        return tuple(dict.fromkeys([self.embedding_host, self.head_host, *(ref.source for ref in self.path)]))

    def recipe(self, sources: Mapping[str, Source]) -> Recipe:
        """The full recipe, from the opened sources by name."""
        return Recipe.build(self.path, self.embedding_host, self.head_host, sources)


def _places(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not value:
        raise ConfigurationError(f"recipe.sources: NAME: PLACE for each, got {type(value).__name__}")
    for name, place in value.items():
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"recipe.sources: names as text, got {_brief(name)} (quotes make it one)")
        if not isinstance(place, str) or not place:
            raise ConfigurationError(f"recipe.sources.{name}: a folder, zoo:NAME or org/name, got {_brief(place)}")
    return dict(value)


def _path(value: Any) -> tuple[LayerRef, ...]:
    if not isinstance(value, list) or not value:
        raise ConfigurationError(f"recipe.path: a list of ranges such as [base:0-11, chat:8-23], got {_brief(value)}")
    path: list[LayerRef] = []
    for place, text in enumerate(value):
        path += _layers(f"recipe.path[{place}]", text)
        if len(path) > MOST:
            raise ConfigurationError(f"recipe.path: at most {MOST} layers, got more")
    return tuple(path)


def _layers(where: str, text: Any) -> Iterator[LayerRef]:
    found = _RANGE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ConfigurationError(f"{where}: NAME:FIRST-LAST or NAME:LAYER, without spaces, got {_brief(text)}")
    first, last = int(found["first"]), int(found["last"] or found["first"])
    if last < first:
        raise ConfigurationError(f"{where}: FIRST-LAST in rising order, both included, got {text[:80]!r}")
    return (LayerRef(found["source"], layer) for layer in range(first, last + 1))


def _brief(value: Any) -> str:
    """A value in a few words, however deep it is."""
    plain = value is None or isinstance(value, str | int | float)
    return repr(value)[:80] if plain else type(value).__name__
