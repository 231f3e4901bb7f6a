"""The result of a run on real, if tiny, models: the front beside its sources and a merge, on both splits."""

import dataclasses
from contextlib import ExitStack
from types import SimpleNamespace

import numpy as np
import pytest

from hm3 import results
from hm3.budget import Budget, Spending
from hm3.checkpoints import Checkpoint
from hm3.machine import Items, Machine
from hm3.objectives import Objective, Preference, Tchebycheff
from hm3.parameter import specify
from hm3.progress import NullProgress
from hm3.recipe import LayerRef, Recipe
from hm3.rivals import judged_rivals
from hm3.session import Session
from hm3.tracking import NullTracker
from hm3.workbench import Workbench
from tests.tiny import write_family
from tests.tiny_tasks import write_tasks

OBJECTIVES = (
    Objective("sums", "sums", "likelihood"),
    Objective("shots", "shots", "likelihood"),
    Objective("depth", "", "depth"),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    paths = write_family(folder / "models", experts=("math", "code"), noise=0.1)
    checkpoints = [Checkpoint.open(name, path) for name, path in paths.items()]
    parts = {"include": [write_tasks(folder / "tasks")], "store": folder / "store", "items": Items(screen=4)}
    with ExitStack() as stack:
        bench = stack.enter_context(
            Workbench.open(checkpoints, OBJECTIVES, machine=Machine(device="cpu", workers=0), **parts)
        )
        identities = tuple(Recipe.identity(each.source, each.depth) for each in checkpoints)
        names = [objective.name for objective in OBJECTIVES]
        preference = Preference.of({"sums": 2, "shots": 1}, names)
        session = Session(bench, identities, preference, Tchebycheff(), NullProgress(), SimpleNamespace(), 5)
        found = session.sources_on_search()
        sources = {each.name: each.source for each in checkpoints}
        short = Recipe.build([LayerRef("math", 0), LayerRef("code", 3)], "math", "code", sources)
        found.add([short], bench.search([short]))
        spec = specify("linear", base=None, parents=[sources["math"], sources["code"]], weights=[0.5, 0.5])
        rivals = list(judged_rivals(bench, [spec], 4))
        yield SimpleNamespace(
            session=session,
            found=found,
            short=short,
            rivals=rivals,
            front=results.tested_front(session, found, rivals, most=50),
        )


def test_depth_counts_one_at_the_bases_depth_and_nothing_at_twice_that(run):
    normaliser = run.found.normaliser
    assert (normaliser.floors[2], normaliser.bests[2]) == (-8.0, -4.0)
    assert normaliser([0.0, 0.0, -2.0])[2] == 1.5


def test_the_front_is_the_archive_and_the_choice_is_on_it(run):
    assert [member.recipe for member in run.front.candidates] == [each.recipe for each in run.found.archive]
    assert run.short in [member.recipe for member in run.front.candidates]  # nothing is as shallow
    best = run.found.archive.best(run.session.preference, Tchebycheff(), run.found.normaliser)
    assert run.front.chosen == best.recipe.digest


def test_scores_of_both_splits_stand_beside_each_other(run):
    bench = run.session.bench
    for member in run.front.candidates:
        assert member.scores.search == bench.search([member.recipe])[0].as_dict()
        assert member.scores.test == bench.test([member.recipe])[0].as_dict()
        assert member.scores.test["sums"] == pytest.approx(member.metrics["sums/likelihood"])


def test_sources_and_rivals_are_reported(run):
    assert [model.name for model in run.front.sources] == ["base", "math", "code"]
    assert [(model.name, model.depth) for model in run.front.rivals] == [("linear even", 4)]
    assert run.front.rivals[0].merge == run.rivals[0].source.merge


def test_a_rival_that_is_known_is_not_built_again(run, monkeypatch):
    monkeypatch.setattr("hm3.merge_guests.guests_of", lambda *_: pytest.fail("was built"))
    spec = run.rivals[0].source.merge
    (again,) = judged_rivals(run.session.bench, [spec], 4)
    assert again.search == run.rivals[0].search
    assert again.test.metrics == run.rivals[0].test.metrics


def test_a_rival_leaves_the_bench_as_it_was(run):
    assert list(run.session.bench.checkpoints) == ["base", "math", "code"]


def test_the_ratio_is_that_of_the_two_hypervolumes_on_the_test_split(run):
    from hm3.archive import hypervolume

    normaliser = run.found.normaliser
    models = [*run.front.sources, *run.front.rivals]
    others = hypervolume(normaliser([list(model.scores.test.values()) for model in models]))
    ratio = run.front.hypervolume_ratio
    assert ratio.value == pytest.approx(run.front.hypervolume / others)
    assert ratio.low <= ratio.value <= ratio.high


def test_the_budget_counts_each_recipe_once(run):
    assert run.front.evaluations == 5  # three sources, one stack, one merge
    assert np.isfinite(run.front.hypervolume_search)


def test_a_front_of_one_is_the_choice(run):
    front = results.tested_front(run.session, run.found, [], most=1)
    assert [member.recipe.digest for member in front.candidates] == [run.front.chosen]


def test_merges_are_candidates_on_the_search_split(run):
    found = run.session.sources_on_search()
    (rival,) = run.session.compare([run.rivals[0].source.merge], found)
    assert found.candidates[rival.recipe.digest].scores == rival.search == run.rivals[0].search


class Repeats:
    """Asks for the same stacks every time, and remembers what it is told."""

    def __init__(self, recipes):
        self.recipes, self.told = recipes, []

    def ask(self, count):
        return self.recipes[:count]

    def tell(self, recipes, scores):
        self.told.append([recipe.digest for recipe in recipes])


def test_refinement_judges_on_the_whole_split_what_the_front_does_not_beat_on_the_screen(run):
    session = dataclasses.replace(run.session, tracker=NullTracker())
    found, screened = session.sources_on_search(), session.sources_on_screen()
    searcher = Repeats([run.short, *session.identities])
    unlimited = Spending(Budget(), lambda: 0)
    session.refine(searcher, screened, found, unlimited, rounds=2, count=2)
    assert searcher.told[0] == [recipe.digest for recipe in session.identities]  # the front first
    assert searcher.told[1:] == [[run.short.digest], []]  # nothing is as shallow; what is known is not judged again
    assert run.short.digest in screened.candidates
    assert run.short.digest in found.candidates
