"""Noun phrases and sentences, English and German, with agreement of gender, case and number."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.zoo.number_words import ENGLISH_SMALL, GERMAN_SMALL


@dataclass(frozen=True)
class Noun:
    """A noun that keeps its form in nominative, accusative and dative singular."""

    english: str
    english_plural: str
    german: str
    german_plural: str
    gender: str


Adjective = tuple[str, str]


def _nouns(lines: str) -> tuple[Noun, ...]:
    return tuple(Noun(*line.split()) for line in lines.split(", "))


def _pairs(lines: str) -> tuple[Adjective, ...]:
    english_german = (line.split() for line in lines.split(", "))
    return tuple((english, german) for english, german in english_german)


BEINGS = _nouns(
    "man men Mann Männer m, dog dogs Hund Hunde m, woman women Frau Frauen f, cat cats Katze Katzen f, "
    "child children Kind Kinder n, horse horses Pferd Pferde n"
)
THINGS = _nouns(
    "tree trees Baum Bäume m, table tables Tisch Tische m, door doors Tür Türen f, lamp lamps Lampe Lampen f, "
    "house houses Haus Häuser n, book books Buch Bücher n"
)
BEING_ADJECTIVES = _pairs("old alt, young jung, small klein, big groß, good gut, nice nett")
THING_ADJECTIVES = _pairs("old alt, new neu, small klein, big groß, good gut, red rot, blue blau, white weiß")
STRONG = {"nom": {"m": "er", "f": "e", "n": "es"}, "acc": {"m": "en", "f": "e", "n": "es"}}
DEFINITE = {
    "nom": {"m": "der", "f": "die", "n": "das"},
    "acc": {"m": "den", "f": "die", "n": "das"},
    "dat": {"m": "dem", "f": "der", "n": "dem"},
}
THIS = {"nom": {"m": "dieser", "f": "diese", "n": "dieses"}}
POSSESSIVE_ENDINGS = {
    "nom": {"m": "", "f": "e", "n": ""},
    "acc": {"m": "en", "f": "e", "n": ""},
    "dat": {"m": "em", "f": "er", "n": "em"},
}
EIN_WORDS = {"a": "ein", "my": "mein", "his": "sein", "our": "unser"}
SINGULAR = ("the", "this", "a", "my", "his", "our")
PLURAL = ("the", "these", "my", "his", "our", *ENGLISH_SMALL[2:13])
GERMAN_PLURAL = {"the": "die", "these": "diese", "my": "meine", "his": "seine", "our": "unsere"}


def german_singular(determiner: str, adjective: str, noun: Noun, case: str) -> str:
    """Return a German noun phrase.

    Args:
        determiner: English, one of SINGULAR ("this" in the nominative only).
        adjective: German stem.
        noun: the head.
        case: "nom", "acc" or "dat".
    """
    gender = noun.gender
    if determiner in EIN_WORDS:
        article = EIN_WORDS[determiner] + POSSESSIVE_ENDINGS[case][gender]
        ending = STRONG[case][gender] if case in STRONG else "en"
    else:
        article = (DEFINITE if determiner == "the" else THIS)[case][gender]
        ending = "en" if case == "dat" or (case, gender) == ("acc", "m") else "e"
    return f"{article} {adjective}{ending} {noun.german}"


def german_plural(determiner: str, adjective: str, noun: Noun) -> str:
    """Return a German noun phrase in the nominative plural; `determiner` is English, one of PLURAL."""
    if determiner in GERMAN_PLURAL:
        return f"{GERMAN_PLURAL[determiner]} {adjective}en {noun.german_plural}"
    return f"{GERMAN_SMALL[ENGLISH_SMALL.index(determiner)]} {adjective}e {noun.german_plural}"


def english_singular(determiner: str, adjective: str, noun: Noun) -> str:
    """Return an English noun phrase, with "an" before vowels."""
    article = "an" if determiner == "a" and adjective[0] in "aeiou" else determiner
    return f"{article} {adjective} {noun.english}"
