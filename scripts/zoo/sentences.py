"""Translation items made of noun phrases."""

from __future__ import annotations

from scripts.zoo.levels import Draft, Level
from scripts.zoo.phrases import (
    BEING_ADJECTIVES,
    BEINGS,
    PLURAL,
    SINGULAR,
    THING_ADJECTIVES,
    THINGS,
    Adjective,
    Noun,
    english_singular,
    german_plural,
    german_singular,
)

ARTICLES = ("the", "a", "my")
VERBS = (
    ("sees", "sieht"),
    ("buys", "kauft"),
    ("finds", "findet"),
    ("has", "hat"),
)
PLACES = (("behind", "hinter"), ("beside", "neben"), ("in front of", "vor"))
NAMED = tuple((adjective, noun) for adjective in BEING_ADJECTIVES for noun in BEINGS) + tuple(
    (adjective, noun) for adjective in THING_ADJECTIVES for noun in THINGS
)
Phrase = tuple[str, Adjective, Noun]


def _singular(determiner: str, named: tuple[Adjective, Noun]) -> Draft:
    adjective, noun = named
    return Draft(
        f"{english_singular(determiner, adjective[0], noun)}:",
        f"{german_singular(determiner, adjective[1], noun, 'nom')}\n",
    )


def _plural(determiner: str, named: tuple[Adjective, Noun]) -> Draft:
    adjective, noun = named
    return Draft(
        f"{determiner} {adjective[0]} {noun.english_plural}:",
        f"{german_plural(determiner, adjective[1], noun)}\n",
    )


def _both(phrase: Phrase, case: str) -> tuple[str, str]:
    determiner, (english, german), noun = phrase
    return english_singular(determiner, english, noun), german_singular(determiner, german, noun, case)


def _clause(verb: tuple[str, str], case: str, subject: Phrase, other: Phrase) -> Draft:
    english, german = zip(_both(subject, "nom"), verb, _both(other, case), strict=True)
    return Draft(f"{' '.join(english)}:", f"{' '.join(german)}\n")


def _action(verb: tuple[str, str], a: str, b: Adjective, c: Noun, d: str, e: Adjective, f: Noun) -> Draft:
    return _clause(verb, "acc", (a, b, c), (d, e, f))


def _place(place: tuple[str, str], a: str, b: Adjective, c: Noun, d: str, e: Adjective, f: Noun) -> Draft:
    return _clause((f"is {place[0]}", f"ist {place[1]}"), "dat", (a, b, c), (d, e, f))


TWO_PHRASES = (ARTICLES, BEING_ADJECTIVES, BEINGS, ARTICLES, THING_ADJECTIVES, THINGS)
LEVELS = (
    Level("phrase", 0.1, (SINGULAR, NAMED), _singular),
    Level("plural", 0.15, (PLURAL, NAMED), _plural),
    Level("action", 0.15, (VERBS, *TWO_PHRASES), _action),
    Level("place", 0.1, (PLACES, *TWO_PHRASES), _place),
)
