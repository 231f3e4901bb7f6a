"""Dates and clock times in words, English and German."""

from __future__ import annotations

from scripts.zoo.levels import Draft, Level
from scripts.zoo.number_words import ENGLISH_SMALL, ENGLISH_TENS, GERMAN_SMALL, german_number

MONTHS = (
    ("January", "Januar", 31),
    ("February", "Februar", 29),
    ("March", "März", 31),
    ("April", "April", 30),
    ("May", "Mai", 31),
    ("June", "Juni", 30),
    ("July", "Juli", 31),
    ("August", "August", 31),
    ("September", "September", 30),
    ("October", "Oktober", 31),
    ("November", "November", 30),
    ("December", "Dezember", 31),
)
SPANS = tuple(
    (first, last, english, german)
    for english, german, days in MONTHS
    for first in range(1, days)
    for last in range(first + 1, days + 1)
)
IRREGULAR_ENGLISH = {1: "first", 2: "second", 3: "third", 5: "fifth", 8: "eighth", 9: "ninth", 12: "twelfth"}
IRREGULAR_GERMAN = {1: "ersten", 3: "dritten", 7: "siebten", 8: "achten"}
CLOCK = (
    ("five past {}", "fünf nach {}"),
    ("ten past {}", "zehn nach {}"),
    ("quarter past {}", "Viertel nach {}"),
    ("twenty past {}", "zwanzig nach {}"),
    ("half past {}", "halb {}"),
    ("twenty to {}", "zwanzig vor {}"),
    ("quarter to {}", "Viertel vor {}"),
    ("ten to {}", "zehn vor {}"),
    ("five to {}", "fünf vor {}"),
)


def english_ordinal(day: int) -> str:
    """Return the ordinal number of a day of the month, 1 to 31, in English words."""
    if day in IRREGULAR_ENGLISH:
        return IRREGULAR_ENGLISH[day]
    if day < 20:
        return f"{ENGLISH_SMALL[day]}th"
    tens, ones = divmod(day, 10)
    word = ENGLISH_TENS[tens - 2]
    return f"{word}-{english_ordinal(ones)}" if ones else f"{word[:-1]}ieth"


def german_ordinal(day: int) -> str:
    """Return the ordinal number of a day of the month, 1 to 31, in German, inflected as after "vom"."""
    return IRREGULAR_GERMAN.get(day) or german_number(day) + ("ten" if day < 20 else "sten")


def german_time(hour: int, form: str) -> str:
    """Return the time in German words: `form` is of CLOCK, and half hours count towards the hour to come."""
    if form.startswith("halb"):
        hour = hour % 12 + 1
    return form.format(GERMAN_SMALL[hour])


def _dates(span: tuple[int, int, str, str]) -> Draft:
    first, last, english, german = span
    return Draft(
        f"from the {english_ordinal(first)} to the {english_ordinal(last)} of {english}:",
        f"vom {german_ordinal(first)} bis zum {german_ordinal(last)} {german}\n",
    )


def _times(start: tuple[str, str], hour: int, end: tuple[str, str], last: int) -> Draft:
    english = [form[0].format(ENGLISH_SMALL[value]) for form, value in ((start, hour), (end, last))]
    german = [german_time(value, form[1]) for form, value in ((start, hour), (end, last))]
    return Draft(f"from {english[0]} until {english[1]}:", f"von {german[0]} bis {german[1]}\n")


LEVELS = (
    Level("dates", 0.1, (SPANS,), _dates),
    Level("times", 0.15, (CLOCK, range(1, 13), CLOCK, range(1, 13)), _times),
)
