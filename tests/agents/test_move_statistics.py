import numpy as np
import pytest

from agents.move_statistics import MoveStatistics


def test_moves_begin_alike():
    assert MoveStatistics(4).chances == pytest.approx([0.25] * 4)


def test_what_leads_onto_the_front_is_tried_more_often():
    statistics = MoveStatistics(2)
    statistics.used(0, "good")
    statistics.used(1, "bad")
    statistics.reward({"good"})
    assert statistics.chances == pytest.approx([2 / 3, 1 / 3])  # rates (1 + 1) / (1 + 2) and (0 + 1) / (1 + 2)


def test_a_stack_is_rewarded_once():
    statistics = MoveStatistics(2)
    statistics.used(0, "good")
    statistics.reward({"good"})
    statistics.reward({"good"})
    assert statistics.chances == pytest.approx([(2 / 3) / (2 / 3 + 1 / 2), (1 / 2) / (2 / 3 + 1 / 2)])


def test_counts_survive_json():
    statistics = MoveStatistics(3)
    statistics.used(2, "x")
    again = MoveStatistics.from_json(statistics.to_json())
    again.reward({"x"})
    statistics.reward({"x"})
    assert again.chances == pytest.approx(statistics.chances)
    assert again.draw(np.random.default_rng(0)) == statistics.draw(np.random.default_rng(0))
