import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from hm3.command import preference_weights

ROOT = Path(__file__).parents[2]
HEAVY = {"math": 0.7, "code": 0.15, "translation": 0.15}
EXPLICIT = "+preference.weights={math:0.6,code:0.4}"
TRAIN = """
preference: {weights: null}
run: ???
agent: {seed: 1, steps: 2}
hydra: {run: {dir: out}, sweep: {dir: out}, output_subdir: null}
"""
PROGRAM = """
import os, signal
from hydra.core.hydra_config import HydraConfig
from hm3.command import command, preference_weights, resolved
from hm3.errors import TaskError

@command("train")
def main(config):
    print(HydraConfig.get().job.name, os.environ.get("HYDRA_FULL_ERROR"))
    what = config.get("what")
    if what == "mistake":
        raise TaskError("task gsm9k:\\nno such task")
    if what == "crash":
        raise RuntimeError("two\\nlines")
    if what == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
    if what == "resolve":
        resolved(config)
    if what == "typo":
        config.agent.sed
    if what == "weights":
        preference_weights(config, HydraConfig.get().overrides.task)

if __name__ == "__main__":
    main()
"""


@pytest.fixture(params=["", "defaults: [_self_]"])
def conf(tmp_path, request):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "train.yaml").write_text(request.param + TRAIN)
    shutil.copytree(ROOT / "conf" / "preference", tmp_path / "conf" / "preference")
    return tmp_path / "conf"


@pytest.fixture
def program(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "train.yaml").write_text(TRAIN)
    shutil.copytree(ROOT / "conf" / "preference", tmp_path / "conf" / "preference")
    (tmp_path / "program").mkdir()
    (tmp_path / "program" / "go.py").write_text(PROGRAM)
    return tmp_path


def call(program, *overrides, **environment):
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HYDRA")}
    return subprocess.run(
        [sys.executable, "-m", "program.go", *overrides],
        cwd=program,
        env=kept | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def composed(conf, *overrides):
    with initialize_config_dir(str(conf), version_base="1.3"):
        return preference_weights(compose("train", list(overrides)), overrides)


PREFERENCES = [
    ([], None),
    (["+preference=math_heavy"], HEAVY),
    (["+preference=balanced"], {"math": 1, "code": 1, "translation": 1}),
    ([EXPLICIT], {"math": 0.6, "code": 0.4}),
    ([EXPLICIT.replace("+", "++")], {"math": 0.6, "code": 0.4}),
    ([EXPLICIT.removeprefix("+")], {"math": 0.6, "code": 0.4}),
    (["+preference=math_heavy", EXPLICIT], {"math": 0.6, "code": 0.4}),
    ([EXPLICIT, "+preference=math_heavy"], {"math": 0.6, "code": 0.4}),
    (["+preference=math_heavy", EXPLICIT, "preference.weights.code=0.9"], {"math": 0.6, "code": 0.9}),
    (["+preference=math_heavy", "preference.weights.math=0.9"], HEAVY | {"math": 0.9}),
    (["+preference=math_heavy", "~preference.weights.math"], {"code": 0.15, "translation": 0.15}),
    (["+preference.weights.math=0.6", "+preference.weights.code=0.4"], {"math": 0.6, "code": 0.4}),
    (["+preference=math_heavy", "preference.weights=null"], None),
    (["agent.seed=3"], None),
]


@pytest.mark.parametrize(("overrides", "weights"), PREFERENCES)
def test_every_way_to_state_a_preference(conf, overrides, weights):
    assert composed(conf, *overrides) == weights


@pytest.mark.parametrize("name", ["math", "code", "translation"])
def test_heavy_preferences(conf, name):
    assert composed(conf, f"+preference={name}_heavy") == dict.fromkeys(HEAVY, 0.15) | {name: 0.7}


MISTAKES = [
    (["+preference=foo"], "preference: one of balanced, code_heavy, math_heavy, translation_heavy, got 'foo'"),
    (["preference=math_heavy"], "To append to your default list use +preference=math_heavy"),
    (["agent.sed=3"], "agent.sed: no such setting; there are seed, steps; got 'sed' (did you mean seed?)"),
    (["sede=3"], "sede: no such setting; there are preference, run, agent; got 'sede'"),
    (["agent.seed"], "settings are written key=value, got 'agent.seed' (missing EQUAL at '<EOF>')"),
    (["agent.seed=[1"], "settings are written key=value, got 'agent.seed=[1'"),
    (["--preference", "math"], "settings are written key=value, without dashes"),
    (["--config-name"], "settings are written key=value, without dashes"),
    (["agent.seed=1,2"], "To sweep over it, add --multirun"),
    (["+agent.seed=3"], "agent.seed: is set already, got +agent.seed=3; to change it write agent.seed=3"),
    (["+preference.weights=math:0.6", "+preference.weights=code:0.4"], "braces need quotes"),
    (["+preference.weights=math:0.6", "+what=weights"], "preference.weights: objectives with weights, in quotes"),
    (["+what=resolve"], "run: needs a value, run=..., got none"),
    (["+what=typo"], "agent.sed: no such setting; there are seed, steps; got 'sed' (did you mean seed?)"),
    (["+what=mistake"], "error: task gsm9k: no such task"),
    (["run=${nope}", "+what=resolve"], "Interpolation key 'nope' not found"),
]


@pytest.mark.parametrize(("overrides", "line"), MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(program, overrides, line):
    done = call(program, *overrides)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert line in done.stderr


def test_what_nobody_expected_is_one_line_and_exit_code_1(program):
    done = call(program, "+what=crash")
    assert (done.returncode, done.stdout) == (1, "go None\n")
    assert done.stderr == "unexpected error: RuntimeError: two lines (HYDRA_FULL_ERROR=1 shows where)\n"


def test_the_traceback_can_be_asked_for(program):
    done = call(program, "+what=crash", HYDRA_FULL_ERROR="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert 'raise RuntimeError("two\\nlines")' in done.stderr


def test_ctrl_c_is_one_line_and_exit_code_130(program):
    done = call(program, "+what=interrupt")
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


def test_a_sweep_runs_its_other_jobs(program):
    done = call(program, "-m", "+what=mistake,fine")
    assert done.returncode == 2
    assert done.stdout.count("go None") == 2
    assert done.stderr.endswith("error: task gsm9k: no such task\n")


def test_success_is_silent_also_when_imported_from_elsewhere(program):
    assert call(program).stderr == ""
    code = "import sys; sys.argv[1:] = ['agent.seed=2']\nfrom program.go import main\nmain()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=program / "conf",
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{program}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "go None\n", "")
