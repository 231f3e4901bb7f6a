"""The code task: a specification of one line, answered by a Python expression."""

from __future__ import annotations

from scripts.zoo import formulas, number_lists, texts

LEVELS = formulas.LEVELS + texts.LEVELS + number_lists.LEVELS
