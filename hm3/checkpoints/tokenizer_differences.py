"""Where two tokenizers part: the first difference of each kind, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hm3.checkpoints.tokenizer import Tokenizer

Sides = tuple[Any, Any]


def hard_difference(ours: Tokenizer, theirs: Tokenizer, names: tuple[str, str]) -> str | None:
    """What makes the tokens of one meaningless to the other: another number, merge or score; or None.

    Tokens that only one has may follow after all that they share: see `extra_tokens`.

    Args:
        ours: One tokenizer.
        theirs: The other.
        names: What their sources are called.
    """
    extra = _extra(ours, theirs)
    for number in sorted({*ours.tokens, *theirs.tokens} - extra):
        if ours.tokens.get(number) != theirs.tokens.get(number):
            return _said(f"token {number}", (ours.tokens.get(number), theirs.tokens.get(number)), names)
    for number in sorted({*ours.scores, *theirs.scores} - extra):
        if ours.scores.get(number) != theirs.scores.get(number):
            return _said(f"score of token {number}", (ours.scores.get(number), theirs.scores.get(number)), names)
    merges = _merges(ours, extra), _merges(theirs, extra)
    if merges[0] == merges[1]:
        return None
    place = next(i for i in range(max(map(len, merges))) if merges[0][i : i + 1] != merges[1][i : i + 1])
    sides = tuple(" ".join(each[place]) if place < len(each) else None for each in merges)
    return _said(f"merge {place}", (sides[0], sides[1]), names)


def soft_differences(ours: Tokenizer, theirs: Tokenizer, names: tuple[str, str]) -> Iterator[str]:
    """What may change how texts are cut into tokens, and leaves the tokens themselves: extras, flags, rules."""
    if extra := sorted(_extra(ours, theirs)):
        owner, tokens = (names[0], ours.tokens) if extra[0] in ours.tokens else (names[1], theirs.tokens)
        yield f"tokens from {extra[0]} on: {len(extra)} only in {owner}, the first {tokens[extra[0]]!r}"
    for token in sorted({*ours.added} & {*theirs.added}):
        yield from _first(f"added token {token!r}", (ours.added[token], theirs.added[token]), names)
    for part in sorted({*ours.rules, *theirs.rules}):
        yield from _first(part, (ours.rules.get(part), theirs.rules.get(part)), names)


def _extra(ours: Tokenizer, theirs: Tokenizer) -> set[int]:
    """The numbers, beyond all of the smaller tokenizer, that only the larger has."""
    smaller = min(ours.rows, theirs.rows)
    return {number for number in {*ours.tokens, *theirs.tokens} if number >= smaller}


def _merges(tokenizer: Tokenizer, extra: set[int]) -> list[tuple[str, str]]:
    """The merges, in order, without those that make extra tokens."""
    made = {tokenizer.tokens[number] for number in extra if number in tokenizer.tokens}
    return [pair for pair in tokenizer.merges if "".join(pair) not in made] if made else list(tokenizer.merges)


def _first(where: str, sides: Sides, names: tuple[str, str]) -> Iterator[str]:
    """The first place, if any, at which two JSON values differ."""
    ours, theirs = sides
    if ours == theirs:
        return
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        key = next(key for key in sorted({*ours, *theirs}) if ours.get(key) != theirs.get(key))
        yield from _first(f"{where}.{key}", (ours.get(key), theirs.get(key)), names)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        place = next(i for i, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1])
        yield from _first(f"{where}[{place}]", (ours[place], theirs[place]), names)
    else:
        yield _said(where, sides, names)


def _said(where: str, sides: Sides, names: tuple[str, str]) -> str:
    ours, theirs = ("nothing" if side is None else _short(repr(side)) for side in sides)
    return f"{where} is {ours} in {names[0]}, {theirs} in {names[1]}"


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:97]}..."
