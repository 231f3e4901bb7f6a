"""The published trios' presets compose, and name what there is."""

import re
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from hm3.checkpoints import is_hub_id
from hm3.composition import open_objectives

CONF = Path(__file__).parents[2] / "conf"
PAGE = Path(__file__).parents[2] / "docs" / "presets.md"
TRIOS = {
    "qwen2_5_1_5b": {
        "base": "Qwen/Qwen2.5-1.5B",
        "chat": "Qwen/Qwen2.5-1.5B-Instruct",
        "math": "Qwen/Qwen2.5-Math-1.5B",
        "code": "Qwen/Qwen2.5-Coder-1.5B",
    },
    "llama2_7b": {
        "base": "meta-llama/Llama-2-7b-hf",
        "chat": "meta-llama/Llama-2-7b-chat-hf",
        "math": "WizardLMTeam/WizardMath-7B-V1.0",
        "code": "codellama/CodeLlama-7b-hf",
    },
}


def composed(*overrides):
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", list(overrides))


@pytest.mark.parametrize("trio", TRIOS)
def test_a_trio_composes_with_its_tasks_and_every_preference(trio):
    config = composed(f"sources={trio}", "tasks=published", "+preference=math_heavy")
    objectives = [objective.name for objective in open_objectives(config.tasks)]
    experts = OmegaConf.to_container(config.sources.experts)
    assert {"base": config.sources.base} | {name: each["path"] for name, each in experts.items()} == TRIOS[trio]
    assert sorted(name for each in experts.values() for name in each["objectives"]) == sorted(objectives)
    assert set(config.preference.weights) == set(objectives)
    assert config.sources.on_mismatch == "host"
    assert all(is_hub_id(path) for path in TRIOS[trio].values())


@pytest.mark.parametrize("trio", TRIOS)
def test_the_page_describes_every_member(trio):
    assert all(f"`{path}`" in PAGE.read_text() for path in (trio, *TRIOS[trio].values()))


def test_the_page_s_command_composes():
    (command,) = re.findall(r"python -m hm3\.train (.+?)```", PAGE.read_text(), re.DOTALL)
    config = composed(*command.replace("\\\n", " ").split())
    assert config.sources.base == TRIOS["qwen2_5_1_5b"]["base"]
    assert config.evaluator.allow_code_execution is True


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_tasks_are_lm_eval_s_and_have_these_metrics():
    from lm_eval.tasks import TaskManager

    index = TaskManager(include_defaults=True).task_index
    objectives = open_objectives(composed("tasks=published").tasks)
    files = {objective.name: Path(index[objective.task].yaml_path) for objective in objectives}
    texts = {name: file.read_text() for name, file in files.items()}
    texts["translation"] += (files["translation"].parent / "wmt_common_yaml").read_text()
    for objective in objectives:
        assert re.search(rf"metric: (!function utils\.)?{objective.metric}\n", texts[objective.name]), objective
    for name in ("translation", "math"):  # search items of their own
        assert "validation_split: validation" in texts[name]
        assert "test_split: test" in texts[name]
