"""What the sources' own cards say about licences, and whether they agree."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub.repocard import metadata_load
from yaml import YAMLError

from hm3.model_card.origins import Origin, origins
from hm3.recipe import Source

_log = logging.getLogger(__name__)
_MOST = 1_000_000  # bytes of a card that are worth reading
_TITLES = {"Apache License": "apache-2.0", "MIT License": "mit", "The MIT License (MIT)": "mit"}


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence as the Hub's front matter states it.

    Attributes:
        id: The Hub's word, ``apache-2.0``; ``other`` for those it has none for.
        name: What ``other`` is called.
        link: Where its text is; a web address.
    """

    id: str
    name: str = ""
    link: str = ""

    @property
    def shown(self) -> str:
        """What people call it."""
        return self.name or self.id


APACHE = Licence("apache-2.0")
MIXED = Licence("other", "several-see-model-card")


def licences_of(sources: Sequence[Source]) -> dict[str, Licence | None]:
    """Source or, of an adapter, each of its parts -> its licence; None where none is stated."""
    found: dict[str, Licence | None] = {}
    for source in sources:
        parts = origins(source)
        for number, origin in enumerate(parts):
            suffix = "" if len(parts) == 1 else (" (adapter)" if number == 0 else " (its base)")
            found[source.name + suffix] = _licence(origin)
        if not parts:
            found[source.name] = None
    return found


def agreed(licences: Mapping[str, Licence | None]) -> Licence | None:
    """The licence of all, `MIXED` where two differ, None where one says nothing; a warning unless all agree."""
    stated = {licence for licence in licences.values() if licence is not None}
    if len({(each.id, each.name) for each in stated}) > 1:
        _warn("differ", licences)
        return MIXED
    if stated and None in licences.values():
        _warn("are not all stated", licences)
    return min(stated, key=lambda each: each.link) if stated and None not in licences.values() else None


def _warn(what: str, licences: Mapping[str, Licence | None]) -> None:
    each = ", ".join(f"{name}: {licence.shown if licence else 'not stated'}" for name, licence in licences.items())
    _log.warning("the sources' licences %s (%s): see whether they let you publish a merge", what, each)


def _licence(origin: Origin) -> Licence | None:
    """What a source's card says, else the title of its licence's text."""
    if origin.of_zoo:
        return APACHE  # made here
    return _of_card(origin.file("README.md")) or _of_text(origin.file("LICENSE"))


def _of_card(file: Path | None) -> Licence | None:
    try:
        head = metadata_load(file) if file is not None and 0 < file.stat().st_size <= _MOST else None
    except (OSError, ValueError, RecursionError, YAMLError):
        return None
    stated = _text(head, "license")
    if not stated:
        return None
    if stated != "other":
        return Licence(stated)
    link = _text(head, "license_link")
    return Licence("other", _text(head, "license_name"), link if link.startswith("https://") else "")


def _of_text(file: Path | None) -> Licence | None:
    try:
        text = file.read_text(errors="replace")[:_MOST] if file is not None else ""
    except OSError:
        return None
    title = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return Licence(_TITLES[title]) if title in _TITLES else None


def _text(head: Mapping[str, Any] | None, key: str) -> str:
    """A short text of the front matter; several licences stand side by side."""
    value = (head or {}).get(key)
    several = value if isinstance(value, list) else [value]
    return ", ".join(each for each in several if isinstance(each, str))[:200].strip()
