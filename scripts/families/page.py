"""The tables in docs/families.md."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from hm3.errors import ConfigurationError
from scripts.families.proof import Proof

PAGE = Path(__file__).resolve().parents[2] / "docs" / "families.md"


def page(text: str, proofs: Sequence[Proof], refused: Mapping[str, str]) -> str:
    """The page with new tables between its marks.

    Raises:
        ConfigurationError: A mark is missing.
    """
    return _between(_between(text, "proofs", _proofs(proofs)), "refused", _refused(refused))


def _proofs(proofs: Sequence[Proof]) -> str:
    columns = ("family", "reference construction", "reloaded export", "log-likelihoods, lm-eval", "texts", "keys")
    return "\n".join([f"| {' | '.join(columns)} |", "|---" * len(columns) + "|", *map(_row, proofs)])


def _row(proof: Proof) -> str:
    figures = " | ".join(f"{figure:.0e}" if figure else "0" for figure in _figures(proof))
    return f"| {proof.name} | {figures} | {'same' if proof.texts == 1 else 'differ'} | {len(proof.keys) or 'all'} |"


def _figures(proof: Proof) -> tuple[float, ...]:
    return proof.reference, proof.reloaded, proof.likelihood


def _refused(refused: Mapping[str, str]) -> str:
    rows = (f"| `{name}` | {reason.replace('|', chr(92) + '|')} |" for name, reason in refused.items())
    return "\n".join(["| model type | reason |\n|---|---|", *rows])


def _between(text: str, mark: str, table: str) -> str:
    begin, end = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    if begin not in text or end not in text:
        raise ConfigurationError(f"docs/families.md: the marks {begin} and {end}, got a page without")
    return re.sub(f"{begin}.*?{end}", lambda _: f"{begin}\n\n{table}\n\n{end}", text, flags=re.DOTALL)
