"""Where a recipe's sources can be found again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hm3.recipe import Recipe, Source

_PINNED = re.compile(r"(?P<id>[\w.-]+/[\w.-]+)@(?P<commit>[0-9a-f]{40})")
_ZOO = "zoo:"
_ON = " on "  # between an adapter and its base


@dataclass(frozen=True, slots=True)
class Origin:
    """One place: a commit of the Hub, a model of the zoo, or a folder."""

    text: str

    @property
    def pinned(self) -> tuple[str, str] | None:
        """Model and commit on the Hub; None elsewhere."""
        found = _PINNED.fullmatch(self.text)
        return (found["id"], found["commit"]) if found else None

    @property
    def of_zoo(self) -> bool:
        """Whether it comes with HM3."""
        return self.text.startswith(_ZOO)

    @property
    def public(self) -> str:
        """What a card may say about it: no folder of anybody's machine."""
        return self.text if self.pinned or self.of_zoo else ""

    def file(self, name: str) -> Path | None:
        """A file of the model, if it is on this machine."""
        if self.pinned is None:
            return None if self.of_zoo else Path(self.text) / name
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.pinned[0], name, revision=self.pinned[1])
        return Path(found) if isinstance(found, str) else None


def given(recipe: Recipe) -> tuple[Source, ...]:
    """The sources that nobody can build, only find: those of merges too, each once."""
    unique = {each.digest: each for source in recipe.sources for each in source.given}
    return tuple(unique.values())


def origins(source: Source) -> tuple[Origin, ...]:
    """Where a source is; an adapter and its base are in two places."""
    return tuple(Origin(part) for part in (source.origin or "").split(_ON) if part)


def hub_ids(sources: Iterable[Source]) -> list[str]:
    """The models of the Hub that sources come from, each once, in order."""
    found = [origin.pinned[0] for source in sources for origin in origins(source) if origin.pinned]
    return list(dict.fromkeys(found))


def folders_named(recipe: Recipe) -> list[str]:
    """The folders of this machine that a recipe names, each once."""
    found = [origin.text for source in given(recipe) for origin in origins(source) if not origin.public]
    return list(dict.fromkeys(found))
