from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from hm3 import report
from tests.fronts import write_run

CONF = Path(__file__).parents[2] / "conf"


@pytest.fixture
def run(tmp_path):
    """The folder of a training run, with what Hydra keeps."""
    folder = write_run(tmp_path / "runs" / "first")
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", overrides=["seed=41"])
    (folder.path / ".hydra").mkdir()
    OmegaConf.save(config, folder.path / ".hydra" / "config.yaml")
    OmegaConf.save({"hydra": {"runtime": {"cwd": str(tmp_path)}}}, folder.path / ".hydra" / "hydra.yaml")
    return folder


def test_a_run_gets_its_page_with_its_settings(run, invoke):
    done = invoke(report.main, f"run={run.path}")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"report: {run.report}\n"
    assert "seed: 41\n" in run.report.read_text()
    assert "${" not in run.report.read_text().split("Configuration, resolved")[1].split("</details>")[0]


def test_the_page_may_go_elsewhere(run, invoke, tmp_path):
    assert invoke(report.main, f"run={run.path}", f"out={tmp_path / 'page.html'}").code == 0
    assert (tmp_path / "page.html").is_file()
    assert not run.report.exists()


def test_many_runs_are_compared(run, invoke, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = invoke(report.main, f"runs='{run.path.parent}/**'")
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("report: comparison.html\n")
    assert "Comparison of runs" in (tmp_path / "comparison.html").read_text()


@pytest.mark.parametrize("stated", [[], ["run=a", "runs=b"]])
def test_one_of_run_and_runs_must_be_given(invoke, stated):
    done = invoke(report.main, *stated)
    assert done.code == 2
    assert done.err.startswith("error: report: one of run=DIR and runs='DIR/**', got run=")
    assert done.err.count("\n") == 1


def test_a_folder_without_a_result_is_one_line(run, invoke):
    run.front.unlink()
    done = invoke(report.main, f"run={run.path}")
    assert done.code == 2
    assert done.err.startswith("error: run: a run folder with a front.json, got ")
