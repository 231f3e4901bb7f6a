"""Whatever a parameter level cannot work with is one line before the work begins; what goes wrong in it ends no run."""

import json
import logging
import shutil

import pytest

from hm3 import export, merge_judge, search, train
from hm3.runs import RunFolder
from tests.hm3.levels.conftest import LEVELS
from tests.tiny import edit_config, write_checkpoint

MM_MO, PARETO, MAP = "parameter=mm_mo", "parameter=pareto_merging", "parameter=map"
ALONE = "~sources.experts.words"
TRAIN = {
    "architecture": ("architecture=both", "architecture: search or none, got 'both'"),
    "level": ("parameter=stir", "parameter: one of map, mm_mo, none, pareto_merging, preference_weighted, got 'stir'"),
    "unknown objective": (f"{MM_MO} +preference.weights={{chess:1}}", "objectives are sums, words, got 'chess'"),
    "design": (f"{MM_MO} parameter.budget=9", "parameter.budget: at least the initial design's 10, got 9"),
    "MAP's design": (f"{MAP} parameter.budget=5", "parameter.budget: at least the initial design's 12, got 5"),
    "budget text": (f"{MM_MO} parameter.budget=all", "parameter.budget: an integer of at least 1, got 'all'"),
    "searched": (f"{MM_MO} parameter.searched={{spice:[0,1]}}", "merge dare_ties: searched settings are density, weight, got spice"),
    "bounds": (f"{MM_MO} parameter.searched={{weight:[1,0]}}", "bounds of weight are two numbers, the lower first, got [1, 0]"),
    "nothing to search": (f"{MM_MO} parameter.method=slerp", "merge slerp: has no settings to search"),
    "method": (f"{MM_MO} parameter.method=stir", "merge method: one of", "got 'stir'"),
    "setting": (f"{MM_MO} +parameter.settings.spice=1", "merge dare_ties: settings are", "got spice"),
    "setting's plus": (f"{MM_MO} parameter.settings.seed=1", "to add it write +parameter.settings.seed=..."),
    "blocks": (f"{MM_MO} parameter.blocks=5", "merge blocks: from 1 to 4, the number of layers, got 5"),
    "proposer": (f"{MM_MO} parameter.proposer.initial=1", "parameter.proposer.initial: an integer of at least 2, got 1"),
    "single parent": (f"{MM_MO} {ALONE} parameter.method=ties", "parents, got 1"),
    "seam": (f"{PARETO} env.seam=scale", "seam"),
    "losses": (f"{PARETO} parameter.losses=spite", "parameter.losses: one of data_free, entropy, task, got 'spite'"),
    "scalarisation": (f"{PARETO} parameter.scalarisation=max", "parameter.scalarisation: one of linear, smooth_tchebycheff"),
    "rank": (f"{PARETO} parameter.rank=0", "parameter.rank: an integer of at least 1, got 0"),
    "training": (f"{PARETO} parameter.training={{stepz:3}}", "parameter.training.stepz: no such setting", "did you mean steps?"),
    "training's plus": (f"{PARETO} +parameter.training.stepz=3", "parameter.training", "stepz"),
    "steps": (f"{PARETO} parameter.training.steps=-1", "steps: an integer of at least 0, got -1"),
    "base's weights": (f"{PARETO} parameter.weights=[1]", "merge task_arithmetic: one weight for each of 2 parents, got 1"),
    "corners": (f"{PARETO} parameter.preferences.corners=2", "corners: a finite number from 0 to 1, got 2"),
    "no expert": (f"{MM_MO} sources.experts.sums.objectives=[] sources.experts.words.objectives=[]", "got 0"),
    "no expert to train": (f"{PARETO} sources.experts.sums.objectives=[] sources.experts.words.objectives=[]", "got 0"),
}
SMALL_BUDGET = {"mm_mo": 3 + 5 + 2, "map": 3 + 5 + 2, "pareto_merging": 3 + 2 + 4}


@pytest.fixture
def refused(invoke, small, tmp_path):
    """The one line with which a training that cannot be is refused, before there is any result."""

    def refused(*overrides):
        done = invoke(train.main, *small.overrides, *overrides, f"hydra.run.dir={tmp_path / 'run'}")
        return one_line(done)

    return refused


def one_line(done):
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert done.err.startswith("error: ")
    return done.err


@pytest.mark.parametrize("mistake", TRAIN)
def test_a_setting(refused, tmp_path, mistake):
    overrides, *parts = TRAIN[mistake]
    line = refused(*overrides.split(" "))
    assert all(part in line for part in parts), line
    assert {path.name for path in (tmp_path / "run").glob("*")} <= {".hydra", "metrics.jsonl"}
