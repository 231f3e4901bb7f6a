"""Colours: one for each source, the same in every picture of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.colors import to_rgb

INK = "#22252B"
FAINT = "#8A8F98"
RULE = "#E4E6EA"
STAR = "#F2B701"
BASE = "#A3A9B3"

_PLAIN = ("#3E6FB0", "#E8853B", "#4A9D5B", "#C8495C", "#8063B0", "#2FA3A3", "#B5892F", "#D672A8", "#7A5C49", "#6E8B1E")
_MERGED = ("#B9CDE9", "#F6D3B5", "#BFDFC5", "#EDBEC5", "#D3C6E8", "#B5DEDE", "#E3D3A8", "#F0CCE0")
MARKERS = ("s", "^", "D", "v", "P", "X", "<", ">", "p", "h")


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours by source name. Merged sources are pale and hatched, a source called ``base`` is grey.

    Attributes:
        plain: Names of the source checkpoints, in the run's order.
        merged: Names of the merged sources.
    """

    plain: tuple[str, ...]
    merged: tuple[str, ...] = ()

    @classmethod
    def of(cls, plain: Iterable[str], merged: Iterable[str]) -> Palette:
        """Give each name its place, the first time that it comes."""
        plain = tuple(dict.fromkeys(plain))
        return cls(plain, tuple(name for name in dict.fromkeys(merged) if name not in plain))

    def colour(self, name: str) -> str:
        """The colour of a source."""
        if name in self.merged:
            return _MERGED[self.merged.index(name) % len(_MERGED)]
        return BASE if name == "base" else _PLAIN[self._place(name) % len(_PLAIN)]

    def marker(self, name: str) -> str:
        """The marker of a source checkpoint."""
        return "o" if name == "base" else MARKERS[self._place(name) % len(MARKERS)]

    def hatch(self, name: str) -> str | None:
        """What tells a merged source from the plain ones; different again when the colours repeat."""
        if name not in self.merged:
            return None
        return ("////", "\\\\\\\\", "xxxx")[self.merged.index(name) // len(_MERGED) % 3]

    def text(self, name: str) -> str:
        """The colour of small text on the source's colour."""
        red, green, blue = to_rgb(self.colour(name))
        return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.6 else "white"

    def _place(self, name: str) -> int:
        return [each for each in self.plain if each != "base"].index(name)
