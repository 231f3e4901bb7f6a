import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hm3.errors import ConfigurationError, OutputError
from hm3.tracking import JsonlTracker, NullTracker, Tee, WandbTracker, read_metrics, wandb_tracker
from tests.wandb_record import recorded_run

ROOT = Path(__file__).parents[2]


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_MODE", "offline")
    for name in ("WANDB_CACHE_DIR", "WANDB_DATA_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")


def test_lines_can_be_read_while_the_run_goes(tmp_path):
    tracker = JsonlTracker(tmp_path / "run")
    tracker.log({"hypervolume": np.float32(0.5), "loss": float("nan")}, step=3)
    assert read_metrics(tmp_path / "run" / "metrics.jsonl") == [{"step": 3, "hypervolume": 0.5, "loss": None}]
    tracker.table("front", ["name", "math"], [["a\u2028b", 0.5]])
    tracker.image("front", tmp_path / "run" / "front.png")
    tracker.summary({"hypervolume": 0.5})
    tracker.finish()
    assert read_metrics(tmp_path / "run" / "metrics.jsonl")[1:] == [
        {"table": "front", "columns": ["name", "math"], "rows": [["a\u2028b", 0.5]]},
        {"image": "front", "path": "front.png"},
        {"summary": {"hypervolume": 0.5}},
    ]


def test_a_resumed_run_writes_what_the_uninterrupted_one_would_have(tmp_path):
    tracker, sizes = JsonlTracker(tmp_path), []
    for step in range(5):
        tracker.log({"x": step}, step=step)
        tracker.summary({"step": step})
        sizes.append((tmp_path / "metrics.jsonl").stat().st_size)
    tracker.finish()
    whole = (tmp_path / "metrics.jsonl").read_bytes()
    (tmp_path / "metrics.jsonl").write_bytes(whole + b'{"step": 5, "x"')
    resumed = JsonlTracker(tmp_path, kept=sizes[2])
    assert [record["step"] for record in read_metrics(tmp_path / "metrics.jsonl") if "step" in record] == [0, 1, 2]
    for step in (3, 4):
        resumed.log({"x": step}, step=step)
        resumed.summary({"step": step})
    resumed.finish()
    assert (tmp_path / "metrics.jsonl").read_bytes() == whole


def test_a_new_run_begins_a_new_file_and_a_resume_may_find_none(tmp_path):
    (tmp_path / "metrics.jsonl").write_text("old\n")
    JsonlTracker(tmp_path).finish()
    assert read_metrics(tmp_path / "metrics.jsonl") == []
    JsonlTracker(tmp_path / "other", kept=7).finish()
    assert read_metrics(tmp_path / "other" / "metrics.jsonl") == []


def test_a_killed_run_leaves_whole_lines_and_at_most_one_partial(tmp_path):
    code = (
        "import sys, itertools; from pathlib import Path; from hm3.tracking import JsonlTracker\n"
        "tracker = JsonlTracker(Path(sys.argv[1]))\n"
        "for step in itertools.count():\n"
        "    tracker.log({'x': 'y' * 500}, step=step)\n"
        "    step == 100 and print('go', flush=True)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT)
    with process:
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    records = read_metrics(tmp_path / "metrics.jsonl")
    assert [record["step"] for record in records] == list(range(len(records)))
    assert len(records) > 100


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\nnonsense\n{"step": 2}\n')
    with pytest.raises(ConfigurationError, match="line 2: one JSON object a line, got 'nonsense'"):
        read_metrics(tmp_path / "metrics.jsonl")


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="must be writable"):
        JsonlTracker(tmp_path / "file" / "run")


def test_a_tee_passes_everything_on(tmp_path):
    tee = Tee(NullTracker(), JsonlTracker(tmp_path / "a"), JsonlTracker(tmp_path / "b"))
    tee.log({"x": 1}, step=1)
    tee.table("t", ["c"], [[1]])
    tee.image("i", tmp_path / "i.png")
    tee.summary({"s": 1})
    tee.finish()
    assert len(read_metrics(tmp_path / "a" / "metrics.jsonl")) == 4
    assert (tmp_path / "a" / "metrics.jsonl").read_text() == (tmp_path / "b" / "metrics.jsonl").read_text()


@pytest.mark.usefixtures("offline")
def test_wandb_keeps_the_run_offline_under_the_names_given(tmp_path):
    tracker = wandb_tracker({"agent": {"steps": 3}, "seed": 1}, folder=tmp_path, name="n", tags=["t"], run_id="abc")
    assert isinstance(tracker, WandbTracker)
    tracker.log({"hypervolume": 0.25}, step=5)
    tracker.table("front", ["name", "depth"], [["a", 8], [None, 1.5]])
    tracker.log({"hypervolume": 0.5}, step=6)
    tracker.summary({"hypervolume": 0.5})
    tracker.finish()
    run = recorded_run(tmp_path)
    assert run.config["agent"] == {"steps": 3}
    assert [(step["_step"], step["hypervolume"]) for step in run.steps] == [(5, 0.25), (6, 0.5)]
    assert run.steps[0]["front.ncols"] == 2


def test_wandb_without_a_login_is_offline_and_asks_nothing(tmp_path):
    code = (
        "import sys; from pathlib import Path; from hm3.tracking import wandb_tracker\n"
        "t = wandb_tracker({'a': 1}, folder=Path(sys.argv[1])); t.log({'hypervolume': 1.0}, 1); t.finish()\n"
        "print(type(t).__name__)\n"
    )
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANDB")}
    home = tmp_path / "home"  # neither a folder nor something that can become one: like a home that is read-only
    home.write_text("")
    environment = kept | {"HOME": str(home), "NETRC": str(tmp_path / "netrc"), "WANDB_ERROR_REPORTING": "false"}
    run = [sys.executable, "-c", code, str(tmp_path / "run")]
    done = subprocess.run(
        run, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "WandbTracker"
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*"))


@pytest.mark.usefixtures("offline")
def test_wandb_that_cannot_start_is_one_warning(tmp_path, caplog, monkeypatch):
    import wandb

    def broken(**_):
        raise OSError("no\nspace")

    monkeypatch.setattr(wandb, "init", broken)
    with caplog.at_level(logging.WARNING):
        tracker = wandb_tracker({}, folder=tmp_path)
    assert isinstance(tracker, NullTracker)
    assert [record.getMessage() for record in caplog.records] == ["wandb: no record of this run, OSError: no space"]


def test_wandb_that_breaks_later_ends_the_record_and_not_the_run(caplog):
    class Broken:
        def log(self, *_, **__):
            raise RuntimeError("gone")

        def finish(self):
            raise AssertionError("not asked again")

    tracker = WandbTracker(Broken())
    tracker.log({"x": 1}, step=1)
    tracker.log({"x": 2}, step=2)
    tracker.finish()
    assert [record.getMessage() for record in caplog.records] == [
        "wandb: the record of this run ends here, RuntimeError: gone"
    ]
