"""What the configuration says of a level is all that the level takes, with the defaults that it has."""

import inspect
from pathlib import Path

import pytest
from hydra.utils import get_object
from omegaconf import OmegaConf

from hm3.levels.pareto_merging import TRAINING

CONF = Path(__file__).parents[3] / "conf"
NOT_STATED = {"dimensions", "tasks", "names", "seed"}  # the run's
FILES = sorted((CONF / "parameter").glob("*.yaml"))


def parameters(target):
    """Name -> default of what a class takes."""
    return {name: each.default for name, each in inspect.signature(get_object(target)).parameters.items()}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_setting_is_listed(file):
    section = OmegaConf.load(file)
    assert {*section} - {"_target_", "proposer"} == {*parameters(section._target_)} - {"proposer"}


@pytest.mark.parametrize("name", ["mm_mo", "map"])
def test_every_setting_of_a_proposer_is_listed_with_its_default(name):
    proposer = OmegaConf.load(CONF / "parameter" / f"{name}.yaml").proposer
    known = {key: value for key, value in parameters(proposer._target_).items() if key not in NOT_STATED}
    assert {key: value for key, value in proposer.items() if not key.startswith("_")} == known


def test_the_training_is_that_of_the_class():
    section = OmegaConf.load(CONF / "parameter" / "pareto_merging.yaml")
    assert {name: section.training[name] for name in TRAINING} == TRAINING
    assert section.rank == parameters(section._target_)["rank"]
