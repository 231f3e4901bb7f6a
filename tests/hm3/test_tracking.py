import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from hm3.errors import ConfigurationError, OutputError
from hm3.tracking import JsonlTracker, NullTracker, Tee, WandbTracker, read_metrics, wandb_tracker

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
    tracker = JsonlTracker(tmp_path)
    for step in range(5):
        tracker.log({"x": step}, step=step)
        tracker.summary({"step": step})
    tracker.finish()
    whole = (tmp_path / "metrics.jsonl").read_bytes()
    (tmp_path / "metrics.jsonl").write_bytes(whole + b'{"step": 5, "x"')
    resumed = JsonlTracker(tmp_path, resume_step=2)
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
    JsonlTracker(tmp_path / "other", resume_step=7).finish()
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


def pieces(data):
    """The records of a .wandb file, which is a LevelDB log: blocks of 32 KiB, pieces with a header of seven bytes."""
    place, record = 7, b""  # the file's own header is as long
    while place + 7 <= len(data):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        length, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        if place + 7 + length > len(data):
            return  # still being written
        record += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last piece of one
            yield record
            record = b""


def recorded(folder):
    """The records of an offline run, once the last one is there: wandb still writes when `finish` has returned."""
    from wandb.proto import wandb_internal_pb2 as messages

    file = next(folder.glob("wandb/offline-run-*/*.wandb"))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        records = [messages.Record.FromString(data) for data in pieces(file.read_bytes())]
        if any(record.WhichOneof("record_type") == "exit" for record in records):
            return records
        time.sleep(0.02)
    raise AssertionError(f"{file}: no end of the run within 20 s")


def logged(folder):
    """What an offline run recorded: its configuration and the metrics of each step."""
    config, steps = {}, []
    for record in recorded(folder):
        config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            steps.append({item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items})
    return config, steps


@pytest.mark.usefixtures("offline")
def test_wandb_keeps_the_run_offline_under_the_names_given(tmp_path):
    tracker = wandb_tracker({"agent": {"steps": 3}, "seed": 1}, folder=tmp_path, name="n", tags=["t"], run_id="abc")
    assert isinstance(tracker, WandbTracker)
    tracker.log({"hypervolume": 0.25}, step=5)
    tracker.table("front", ["name", "depth"], [["a", 8], [None, 1.5]])
    tracker.log({"hypervolume": 0.5}, step=6)
    tracker.summary({"hypervolume": 0.5})
    tracker.finish()
    config, steps = logged(tmp_path)
    assert config["agent"] == {"steps": 3}
    assert [(step["_step"], step["hypervolume"]) for step in steps] == [(5, 0.25), (6, 0.5)]
    assert steps[0]["front.ncols"] == 2


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
