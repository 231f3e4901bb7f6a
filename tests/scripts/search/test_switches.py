"""One switch at a time, each of them real."""

import pytest

from scripts.benchmark.search.methods import METHODS
from scripts.benchmark.search.switches import ALONE, WHOLE
from scripts.benchmark.search.worlds import world


@pytest.mark.parametrize("group", [WHOLE, ALONE], ids=["whole", "alone"])
def test_the_first_line_is_the_method_of_the_contest_and_all_others_differ(group):
    trials = list(group.trials([0]))
    made = [(trial.method.make.keywords, trial.method.batch) for trial in trials]
    assert made[0] == ({}, METHODS[group.key].batch)
    assert all(each != made[0] for each in made[1:])
    assert len({trial.name for trial in trials}) == len(trials) == len(group.lines)


@pytest.mark.parametrize("group", [WHOLE, ALONE], ids=["whole", "alone"])
def test_every_line_can_be_built(group):
    for trial in group.trials([0]):
        assert len(trial.method.searcher(world("a"), 0).ask(2)) == 2
