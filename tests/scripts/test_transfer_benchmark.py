"""What is counted when a source or an objective is added."""

import pytest

from scripts.benchmark.search.worlds import world
from scripts.benchmark.transfer.figures import outcome
from scripts.benchmark.transfer.trials import WAYS, Trial
from scripts.benchmark.transfer.worlds import ADDED, without_objective, without_source

PLACE = world("a")


def test_before_there_is_one_source_less():
    before = without_source("a", PLACE)
    assert before.space.pool.names == PLACE.space.pool.names[:3]
    assert before.normaliser.names == PLACE.normaliser.names
    assert before.normaliser.bests <= PLACE.normaliser.bests


def test_before_there_is_one_objective_less():
    before = without_objective("a", PLACE)
    recipes = before.space.pool.identities()
    assert before.normaliser.names == PLACE.normaliser.names[:2]
    whole = [scores.values[:2] for scores in PLACE.evaluator(recipes)]
    assert [scores.values for scores in before.evaluator(recipes)] == whole


def test_known_stacks_are_free_and_the_new_source_is_not():
    steps = Trial("source", "both", "a", 0, 16, 12).result()["steps"]
    assert steps[0][0] == 0
    assert max(step[0] for step in steps) <= 16
    assert any(step[0] == 1 for step in steps)  # the new source itself


def test_of_another_objective_nothing_is_free():
    steps = Trial("objective", "both", "a", 0, 16, 12).result()["steps"]
    assert steps[0][0] == 1


def part(added, way, hit):
    return {"added": added, "way": way, "seed": 0, "evaluations": 400, "steps": [(hit, 0.995, 0.995)]}


def test_shares_are_of_training_anew():
    parts = [part(added, way, 40 if way == "both" else 160) for added in ADDED for way in WAYS for _ in range(3)]
    summary = outcome(parts, "a").summary
    assert summary["source"]["95%"] == pytest.approx([0.25] * 3)
    assert summary["objective"]["99%"] == pytest.approx([0.25] * 3)
