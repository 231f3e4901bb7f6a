"""The offline loop, with a searcher and an evaluator that are only numbers."""

import numpy as np
import pytest

from hm3.judged import Judged
from hm3.objectives import Normaliser, Scores, Tchebycheff
from hm3.offline import Rollout, explore
from hm3.recipe import LayerRef, Recipe, Source

SOURCE = Source("base", "d0")
UNIT = Normaliser(("math", "code"), (0.0, 0.0), (1.0, 1.0))


def recipe(layer):
    return Recipe.build([LayerRef("base", layer)], "base", "base", {"base": SOURCE})


def scored(math, code, valid=True):
    return Scores(("math", "code"), (math, code), valid)


class Circle:
    """Layer n scores the n-th of eleven points on a quarter circle; layer 99 is broken."""

    names = ("math", "code")

    def __init__(self):
        self.calls = []

    def __call__(self, recipes):
        self.calls.append(len(recipes))
        return [self._score(each.path[0].layer) for each in recipes]

    def _score(self, layer):
        angle = layer * np.pi / 20
        return scored(0.0, 0.0, False) if layer == 99 else scored(float(np.cos(angle)), float(np.sin(angle)))


class Script:
    """Asks for given layers and keeps what it is told."""

    def __init__(self, *rollouts):
        self._rollouts = iter(rollouts)
        self.told = []

    def ask(self, count):
        layers = next(self._rollouts)
        assert len(layers) == count
        return [recipe(layer) for layer in layers]

    def tell(self, recipes, scores):
        self.told += [(each.path[0].layer, score) for each, score in zip(recipes, scores, strict=True)]


def test_every_rollout_is_asked_scored_together_told_and_archived():
    searcher, evaluator, judged = Script([0, 5], [5, 10]), Circle(), Judged(UNIT)
    rollouts = list(explore(searcher, evaluator, judged, rollouts=2, episodes=2))
    assert evaluator.calls == [2, 2]
    assert [layer for layer, _ in searcher.told] == [0, 5, 5, 10]
    assert searcher.told[2] == searcher.told[1]
    assert [each.number for each in rollouts] == [1, 2]
    assert len(judged.candidates) == len(judged.archive) == 3


def test_a_resumed_run_begins_at_its_next_rollout():
    rollouts = explore(Script([1], [2]), Circle(), Judged(UNIT), rollouts=4, episodes=1, first=3)
    assert [each.number for each in rollouts] == [3, 4]


def test_a_budget_is_asked_before_each_rollout():
    evaluator = Circle()
    done = list(
        explore(
            Script([1], [2], [3]),
            evaluator,
            Judged(UNIT),
            rollouts=3,
            episodes=1,
            go_on=lambda: len(evaluator.calls) < 2,
        )
    )
    assert len(done) == 2


def test_repeats_count_once():
    rollout = Rollout(1, [recipe(1), recipe(1), recipe(2), recipe(1)], [], Judged(UNIT))
    assert rollout.distinct == 0.5
    assert Rollout(1, [], [], Judged(UNIT)).distinct == 1.0


def test_hypervolume_and_utilities_by_hand():
    judged = Judged(UNIT)
    judged.add([recipe(1), recipe(2), recipe(3)], [scored(1.0, 0.5), scored(0.5, 1.0), scored(2.0, 2.0, valid=False)])
    assert judged.hypervolume() == pytest.approx(0.75)  # two rectangles of 1 x 0.5 that share 0.5 x 0.5
    utilities = judged.utilities(np.array([[1.0, 0.0], [0.0, 1.0]]), Tchebycheff(rho=0.0))
    assert utilities.tolist() == [[-0.5, -1.0, -np.inf], [-1.0, -0.5, -np.inf]]
    assert judged.best_utility(np.array([1.0, 0.0]), Tchebycheff(rho=0.0)) == -0.5


def test_the_first_judgement_of_a_recipe_stays():
    judged = Judged(UNIT)
    judged.add([recipe(1), recipe(1)], [scored(0.1, 0.1), scored(0.9, 0.9)])
    assert judged.candidates[recipe(1).digest].scores.values == (0.1, 0.1)


def test_nothing_judged_has_no_volume():
    assert Judged(UNIT).hypervolume() == 0.0
