"""The translation task: English to German numbers, dates, times, phrases and sentences."""

from __future__ import annotations

from scripts.zoo import calendar_words, number_words, sentences

LEVELS = number_words.LEVELS + calendar_words.LEVELS + sentences.LEVELS
