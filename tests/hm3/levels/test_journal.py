"""What a search over merge settings has heard survives its process."""

import json
import math

import numpy as np
import pytest

from hm3.errors import ConfigurationError
from hm3.levels.journal import Journal
from hm3.objectives import Candidate, Scores
from hm3.recipe import Recipe, Source


def candidate(name="m", value=0.5):
    return Candidate(Recipe.identity(Source(name, f"digest of {name}"), 2), Scores(("sums",), (value,)))


def test_a_new_journal_is_empty(tmp_path):
    journal = Journal(tmp_path / "settings.json", 3, 1)
    assert len(journal) == 0
    assert journal.open.shape == (0, 3)
    assert journal.told.points.shape == (0, 3)
    assert journal.told.values.shape == (0, 1)
    assert not list(tmp_path.iterdir())


def test_what_was_asked_is_open_until_it_is_told(tmp_path):
    journal = Journal(tmp_path / "settings.json", 2, 2)
    journal.ask(np.array([[0.25, 0.5], [1.0, 0.0]]))
    journal.tell(candidate(), [0.5, -3.0])
    assert journal.open.tolist() == [[1.0, 0.0]]
    assert journal.told.points.tolist() == [[0.25, 0.5]]
    assert journal.told.values.tolist() == [[0.5, -3.0]]


def test_it_comes_back_to_the_last_bit(tmp_path):
    journal = Journal(tmp_path / "deep/settings.json", 2, 1)
    points = np.random.default_rng(0).random((3, 2))
    journal.ask(points)
    journal.tell(candidate("a", 1 / 3), [1 / 3])
    back = Journal(tmp_path / "deep/settings.json", 2, 1)
    assert back.open.tobytes() == points[1:].tobytes()
    assert back.told.values.tolist() == [[1 / 3]]
    assert back.judged == [candidate("a", 1 / 3)]


def test_a_model_that_gave_no_number_is_remembered_as_such(tmp_path):
    journal = Journal(tmp_path / "settings.json", 1, 2)
    journal.ask(np.array([[0.5]]))
    journal.tell(candidate(), [math.nan, math.inf])
    text = (tmp_path / "settings.json").read_text()
    assert "NaN" not in text
    assert json.loads(text)
    assert np.isnan(Journal(tmp_path / "settings.json", 1, 2).told.values).all()


def test_a_damaged_journal_is_refused(tmp_path):
    journal = Journal(tmp_path / "settings.json", 1, 1)
    journal.ask(np.array([[0.5]]))
    file = tmp_path / "settings.json"
    file.write_text(file.read_text().replace("0.5", "0.6"))
    with pytest.raises(ConfigurationError, match="as a run wrote it"):
        Journal(file, 1, 1)
