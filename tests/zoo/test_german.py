import pytest

from scripts.zoo.calendar_words import CLOCK, english_ordinal, german_ordinal, german_time
from scripts.zoo.number_words import english_number, german_number
from scripts.zoo.phrases import BEINGS, THINGS, english_singular, german_plural, german_singular

NOUNS = {noun.english: noun for noun in BEINGS + THINGS}


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [
        (0, "zero", "null"),
        (1, "one", "eins"),
        (12, "twelve", "zwölf"),
        (16, "sixteen", "sechzehn"),
        (17, "seventeen", "siebzehn"),
        (21, "twenty-one", "einundzwanzig"),
        (30, "thirty", "dreißig"),
        (101, "one hundred one", "einhunderteins"),
        (777, "seven hundred seventy-seven", "siebenhundertsiebenundsiebzig"),
        (1000, "one thousand", "eintausend"),
        (2016, "two thousand sixteen", "zweitausendsechzehn"),
        (9999, "nine thousand nine hundred ninety-nine", "neuntausendneunhundertneunundneunzig"),
    ],
)
def test_numbers(value, english, german):
    assert english_number(value) == english
    assert german_number(value) == german


def test_numbers_differ():
    for number in (english_number, german_number):
        assert len({number(value) for value in range(10_000)}) == 10_000


@pytest.mark.parametrize(
    ("day", "english", "german"),
    [
        (1, "first", "ersten"),
        (3, "third", "dritten"),
        (7, "seventh", "siebten"),
        (8, "eighth", "achten"),
        (12, "twelfth", "zwölften"),
        (17, "seventeenth", "siebzehnten"),
        (20, "twentieth", "zwanzigsten"),
        (21, "twenty-first", "einundzwanzigsten"),
        (30, "thirtieth", "dreißigsten"),
    ],
)
def test_ordinals(day, english, german):
    assert english_ordinal(day) == english
    assert german_ordinal(day) == german


def test_half_hours_count_towards_the_next_hour():
    half = dict(CLOCK)["half past {}"]
    assert german_time(3, half) == "halb vier"
    assert german_time(12, half) == "halb eins"
    assert german_time(1, dict(CLOCK)["quarter past {}"]) == "Viertel nach eins"


@pytest.mark.parametrize(
    ("determiner", "adjective", "noun", "case", "german"),
    [
        ("the", "alt", "man", "nom", "der alte Mann"),
        ("a", "alt", "man", "nom", "ein alter Mann"),
        ("our", "alt", "man", "nom", "unser alter Mann"),
        ("this", "rot", "book", "nom", "dieses rote Buch"),
        ("my", "rot", "book", "nom", "mein rotes Buch"),
        ("this", "gut", "cat", "nom", "diese gute Katze"),
        ("the", "neu", "table", "acc", "den neuen Tisch"),
        ("a", "neu", "table", "acc", "einen neuen Tisch"),
        ("my", "neu", "lamp", "acc", "meine neue Lampe"),
        ("a", "neu", "house", "acc", "ein neues Haus"),
        ("the", "groß", "tree", "dat", "dem großen Baum"),
        ("a", "groß", "door", "dat", "einer großen Tür"),
        ("the", "groß", "door", "dat", "der großen Tür"),
        ("my", "groß", "house", "dat", "meinem großen Haus"),
    ],
)
def test_agreement(determiner, adjective, noun, case, german):
    assert german_singular(determiner, adjective, NOUNS[noun], case) == german


@pytest.mark.parametrize(
    ("determiner", "german"),
    [
        ("the", "die alten Bäume"),
        ("these", "diese alten Bäume"),
        ("our", "unsere alten Bäume"),
        ("two", "zwei alte Bäume"),
    ],
)
def test_plural(determiner, german):
    assert german_plural(determiner, "alt", NOUNS["tree"]) == german


def test_english_articles():
    assert english_singular("a", "old", NOUNS["tree"]) == "an old tree"
    assert english_singular("a", "red", NOUNS["tree"]) == "a red tree"
