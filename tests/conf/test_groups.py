"""Every file of every group composes with the main job, and what it describes can be made."""

import inspect
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from hm3.command import preference_weights
from hm3.composition import Offline, Online, open_objectives, task_folders, train_stages
from hm3.objectives import Preference

CONF = Path(__file__).parents[2] / "conf"
FILES = sorted((path.parent.name, path.stem) for path in CONF.glob("*/*.yaml") if path.parent.name != "sweeps")
HEAVY = {"math": 0.15, "code": 0.15, "translation": 0.15}
EXPLICIT = "+preference.weights={math:0.6,code:0.4}"


def composed(*overrides, name="train"):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(name, list(overrides))


def preference(*overrides):
    """The preference of the composed run."""
    config = composed(*overrides)
    names = [objective.name for objective in open_objectives(config.tasks)]
    return Preference.of(preference_weights(config, overrides), names).as_dict()


@pytest.mark.parametrize(("group", "choice"), FILES)
def test_every_file_composes_and_its_targets_exist(group, choice):
    config = composed(f"+{group}={choice}" if group == "preference" else f"{group}={choice}")
    assert group in config
    if "_target_" in config[group]:
        made = instantiate(config[group], _convert_="all")
        assert inspect.signature(made)  # a partial with a setting that its class lacks has none


OWN = "own"  # what the user names on the command line


@pytest.mark.parametrize("choice", [choice for group, choice in FILES if group == "sources" and choice != OWN])
def test_sources_name_a_base_and_experts(choice):
    sources = composed(f"sources={choice}").sources
    assert sources.base
    assert all(expert.path for expert in sources.experts.values())


@pytest.mark.parametrize("choice", [choice for group, choice in FILES if group == "tasks" and choice != OWN])
def test_tasks_name_objectives_and_folders(choice):
    tasks = composed(f"tasks={choice}").tasks
    assert open_objectives(tasks)
    assert all(folder.is_dir() for folder in task_folders(tasks))


@pytest.mark.parametrize("name", ["export", "evaluate", "search"])
def test_the_other_commands_compose(name):
    assert "run" in composed("run=x", *(["out=y"] if name == "export" else []), name=name)


def test_the_plans_are_those_of_the_file():
    config = composed()
    assert (Offline.of(config).rollouts, Offline.of(config).episodes) == (20, 64)
    assert Online.of(config).survivors == 64
    names = [stage.name for stage in train_stages(config)]
    assert names == ["offline", "proposals", "merges", "known", "online", "refinement", "test"]


@pytest.mark.parametrize("name", list(HEAVY))
def test_a_heavy_preference(name):
    assert preference(f"+preference={name}_heavy") == pytest.approx(HEAVY | {name: 0.7})


@pytest.mark.parametrize("overrides", [[], ["+preference=balanced"], ["preference.weights=null"]])
def test_even_weights(overrides):
    assert preference(*overrides) == pytest.approx(dict.fromkeys(HEAVY, 1 / 3))


@pytest.mark.parametrize("overrides", [[EXPLICIT], ["+preference=math_heavy", EXPLICIT]])
def test_stated_weights_replace_and_what_is_left_out_is_none(overrides):
    assert preference(*overrides) == pytest.approx({"math": 0.6, "code": 0.4, "translation": 0})
