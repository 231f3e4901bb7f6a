"""The sweeps: whatever a W&B agent would start, the command accepts."""

import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
from hydra.errors import HydraException
from wandb import wandb_agent
from wandb.apis.public.sweeps import _validate_config_and_fill_distribution

from hm3.errors import ConfigurationError
from hm3.runs import RunFolder
from tests.sweep_trials import CONF, SWEEPS, accept, overrides, read, trials
from tests.wandb_record import recorded_run

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pydantic's old style
    from sweeps import schema_violations_from_proposed_config

ROOT = Path(__file__).parents[2]
TINY = {
    "offline": "{rollouts:1,episodes:4}",
    "online": "{divisions:1,each:1,own:1,refine:1,survivors:4}",
    "evaluator": "{screen_items:2,search_items:4,test_items:4,workers:0}",
    "parameter": "none",
    "rivals": 0,
}


@pytest.fixture
def started(monkeypatch, tmp_path):
    """What wandb's agent starts for a trial: its own code, up to the moment when it would start a process."""
    processes = []
    monkeypatch.setattr(wandb_agent, "AgentProcess", lambda **settings: processes.append(settings) or SimpleNamespace())
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep")
    for name in ("WANDB_RUN_ID", "WANDB_SWEEP_PARAM_PATH"):
        monkeypatch.setenv(name, "")  # so that what the agent sets is undone

    def arguments(sweep, trial):
        agent = SimpleNamespace(
            _sweep_command=list(sweep["command"]),
            _in_jupyter=False,
            _function=None,
            _forward_signals=False,
            _run_processes={},
        )
        args = {name: {"value": value} for name, value in trial.items()}
        wandb_agent.Agent._command_run(agent, {"run_id": "trial", "program": sweep["program"], "args": args})
        return processes[-1]

    return arguments


def test_there_are_sweeps():
    assert set(SWEEPS) >= {"agent", "preferences", "parameter_level"}


@pytest.mark.parametrize("name", SWEEPS)
def test_the_command_accepts_whatever_an_agent_starts(name, started):
    sweep = read(SWEEPS[name])
    for trial in trials(sweep):
        accept(overrides(started(sweep, trial)["command"]))


@pytest.mark.parametrize("name", SWEEPS)
def test_wandb_accepts_the_file(name):
    assert schema_violations_from_proposed_config(read(SWEEPS[name])) == []
    _validate_config_and_fill_distribution(read(SWEEPS[name]))


@pytest.mark.parametrize("name", SWEEPS)
def test_the_objective_is_the_hypervolume_of_the_search_split(name):
    assert read(SWEEPS[name])["metric"] == {"name": "hypervolume", "goal": "maximize"}


def test_the_budget_of_every_agent_is_the_same():
    budgets = {
        offline.rollouts * offline.episodes
        for choice in read(SWEEPS["agent"])["parameters"]["offline"]["values"]
        for offline in [accept([f"offline={choice}"]).offline]
    }
    assert budgets == {accept([]).offline.rollouts * accept([]).offline.episodes}


def test_the_weights_are_those_of_the_preference_files():
    stated = read(SWEEPS["preferences"])["parameters"]["preference.weights"]["values"]
    files = [read(path)["weights"] for path in (CONF / "preference").glob("*.yaml")]
    swept = [dict(accept([f"preference.weights={text}"]).preference.weights) for text in stated]
    assert sorted(map(str, swept)) == sorted(map(str, files))


@pytest.fixture
def sent(started):
    """What the command makes of one parameter with one value."""

    def accepted(name, value):
        sweep = read(SWEEPS["agent"])
        return accept(overrides(started(sweep, {name: value})["command"]))

    return accepted


def test_a_null_must_be_the_word(sent):
    assert sent("env.reach", "null").env.reach is None
    with pytest.raises(ConfigurationError, match=r"env\.reach: an integer of at least 0, got 'None'"):
        sent("env.reach", None)


def test_a_list_and_one_of_its_places(sent):
    assert sent("agent.learning_rate", [1e-3, 1e-5]).agent.learning_rate == [1e-3, 1e-5]
    assert sent("agent.learning_rate.1", 1e-5).agent.learning_rate == [accept([]).agent.learning_rate[0], 1e-5]


def test_a_mapping_must_be_text(sent):
    assert sent("offline", "{rollouts:3,episodes:5}").offline.episodes == 5
    with pytest.raises(HydraException, match="no viable alternative at input"):
        sent("offline", {"rollouts": 3, "episodes": 5})


@pytest.mark.parametrize("value", [True, False])
def test_a_boolean_is_one(sent, value):
    assert sent("tracking.wandb", value).tracking.wandb is value


@pytest.mark.parametrize("name", ["agent.entropie", "agent.learning_rate.5", "parametr.method"])
def test_a_misspelled_name_is_refused(sent, name):
    with pytest.raises(HydraException):
        sent(name, 0.1)


def test_a_preference_by_name_is_no_parameter_for_wandb(started):
    """Hydra would take it; wandb's schema has no name that begins with a plus."""
    sweep = read(SWEEPS["preferences"])
    named = sweep | {"parameters": {"+preference": {"values": ["math_heavy"]}}}
    assert accept(overrides(started(named, {"+preference": "math_heavy"})["command"])).preference.weights.math == 0.7
    assert "'+preference' does not match" in schema_violations_from_proposed_config(named)[0]


@pytest.mark.slow
def test_a_trial_runs_and_reports_the_objective(started, tmp_path):
    sweep = read(SWEEPS["preferences"])
    math = next(trial for trial in trials(sweep) if "math:0.7" in trial["preference.weights"])
    process = started(sweep, math | TINY | {"hydra.run.dir": str(tmp_path / "run")})
    places = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment = process["env"] | places | {"WANDB_MODE": "offline", "HM3_CACHE": str(tmp_path / "cache")}
    environment |= {"WANDB_ERROR_REPORTING": "false", "WANDB_CACHE_DIR": str(tmp_path / "wandb_cache")}
    done = subprocess.run(
        process["command"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    front = RunFolder(tmp_path / "run").read_front()
    assert front.preference.as_dict() == {"math": 0.7, "code": 0.15, "translation": 0.15}
    record = recorded_run(tmp_path / "run")
    objective = [step["hypervolume"] for step in record.steps if "hypervolume" in step]
    assert objective[-1] == record.summary["hypervolume"] == front.hypervolume_search
    assert record.config["seed"] == front.seed
