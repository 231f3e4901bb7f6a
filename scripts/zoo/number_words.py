"""Numbers in words, English and German."""

from __future__ import annotations

from scripts.zoo.levels import Draft, Level


def _words(line: str) -> tuple[str, ...]:
    return tuple(line.split())


ENGLISH_SMALL = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
ENGLISH_TENS = _words("twenty thirty forty fifty sixty seventy eighty ninety")
GERMAN_SMALL = _words(
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn "
    "achtzehn neunzehn"
)
GERMAN_TENS = _words("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")


def english_number(value: int) -> str:
    """Return a number from 0 to 9999 in English words, without "and"."""
    if value < 20:
        return ENGLISH_SMALL[value]
    if value < 100:
        tens, ones = divmod(value, 10)
        return ENGLISH_TENS[tens - 2] + (f"-{ENGLISH_SMALL[ones]}" if ones else "")
    unit, word = (1000, "thousand") if value >= 1000 else (100, "hundred")
    count, rest = divmod(value, unit)
    return f"{ENGLISH_SMALL[count]} {word}" + (f" {english_number(rest)}" if rest else "")


def german_number(value: int) -> str:
    """Return a number from 0 to 9999 in German words, as one word."""
    if value < 20:
        return GERMAN_SMALL[value]
    if value < 100:
        tens, ones = divmod(value, 10)
        return (f"{_german_stem(ones)}und" if ones else "") + GERMAN_TENS[tens - 2]
    unit, word = (1000, "tausend") if value >= 1000 else (100, "hundert")
    count, rest = divmod(value, unit)
    return f"{_german_stem(count)}{word}" + (german_number(rest) if rest else "")


def _german_stem(digit: int) -> str:
    return "ein" if digit == 1 else GERMAN_SMALL[digit]


def _number(value: int) -> Draft:
    return Draft(f"{english_number(value)}:", f"{german_number(value)}\n")


LEVELS = (
    Level("number", 0.15, (range(1000),), _number),
    Level("long number", 0.2, (range(1000, 10000),), _number),
)
