"""Tensors under the names that their family's files give them today.

Old files of some families spell them otherwise, and hold tables beside the weights: causal masks, rotary frequencies.
Stock transformers reads both spellings and no table; the names of today are what it writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hm3.checkpoints.reading import RefusedError

_ROTARY = r"\.rotary_emb\.inv_freq$"


@dataclass(frozen=True, slots=True)
class _Spelling:
    """How a family's old files differ.

    Attributes:
        today: Of a name, the present one.
        table: Pattern of the names of what nobody reads any more.
    """

    today: Callable[[str], str] = str
    table: str = _ROTARY


def todays_names(model_type: str, names: Iterable[str]) -> dict[str, str]:
    """Today's name of every weight -> its name in the file; old tables are left out.

    Raises:
        RefusedError: The file holds a weight under both.
    """
    spelling = _SPELLINGS.get(model_type, _Spelling())
    table = re.compile(spelling.table)
    spelled: dict[str, str] = {}
    for name in names:
        if table.search(name):
            continue
        other = spelled.setdefault(spelling.today(name), name)
        if other != name:
            raise RefusedError(f"weights: every tensor once, got {other!r} and {name!r}")
    return spelled


def _gpt2(name: str) -> str:
    """GPT-2 was published without the head's module around it: ``h.0.ln_1.weight``."""
    return name if name.startswith(("transformer.", "lm_head.")) else f"transformer.{name}"


def _gpt_neox(name: str) -> str:
    """The head has one name in memory and another in files."""
    return "embed_out.weight" if name == "lm_head.weight" else name


_SPELLINGS = {
    "gpt2": _Spelling(_gpt2, r"\.attn\.(masked_)?bias$"),
    "gpt_neox": _Spelling(_gpt_neox, rf"\.attention\.(masked_)?bias$|{_ROTARY}"),
}
