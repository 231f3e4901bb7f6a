import os

import pytest
import yaml

from hm3.errors import ConfigurationError
from hm3.runs import RunFolder
from hm3.runs.gathering import find_runs, gather
from hm3.runs.settings import settings_of
from tests.tiny_runs import small_front, write_run


def names(runs, below):
    return [str(run.path.relative_to(below)) for run in runs]


@pytest.fixture
def outputs(tmp_path):
    """Two days' runs, a multirun of twelve jobs, a killed run, and folders that are none."""
    for day in ("2026-01-02/10-00-00", "2026-01-01/09-00-00"):
        write_run(tmp_path / "outputs" / day, small_front())
    for job in range(12):
        write_run(tmp_path / "multirun" / "2026-01-03" / str(job), small_front(seed=job))
    write_run(tmp_path / "outputs" / "2026-01-02" / "killed")
    (tmp_path / "outputs" / "2026-01-02" / "10-00-00" / "model").mkdir()
    (tmp_path / "outputs" / "nothing").mkdir()
    return tmp_path


@pytest.mark.parametrize("pattern", ["outputs/**", "outputs/*", "outputs", "outputs/*/*"])
def test_whatever_lies_at_or_below_what_matches(outputs, pattern):
    found = names(find_runs(str(outputs / pattern)), outputs / "outputs")
    assert found == ["2026-01-01/09-00-00", "2026-01-02/10-00-00", "2026-01-02/killed"]


def test_jobs_come_in_the_order_of_their_numbers(outputs):
    assert names(find_runs(str(outputs / "multirun/**")), outputs / "multirun/2026-01-03") == list(map(str, range(12)))


def test_a_folder_of_any_name_has_its_place(tmp_path):
    for name in ("b²", "²", "a10", "a9"):
        write_run(tmp_path / name, small_front())
    assert names(find_runs(str(tmp_path)), tmp_path) == ["a9", "a10", "b²", "²"]


def test_a_run_is_found_once_and_the_home_is_expanded(outputs, monkeypatch):
    monkeypatch.setenv("HOME", str(outputs))
    (outputs / "link").symlink_to(outputs / "outputs")
    assert len(find_runs("~/*")) == 3 + 12


def test_no_run_is_one_line(tmp_path):
    with pytest.raises(ConfigurationError, match=r"^runs: a folder or glob with runs below it, .* got '.*/none/\*\*'$"):
        find_runs(str(tmp_path / "none/**"))


def test_what_is_read_of_a_finished_run(tmp_path):
    run = write_run(
        tmp_path / "a" / "b", small_front(), {"agent": {"_target_": "agents.PPO", "beta": [2, 1]}, "seed": 0}
    )
    (read,) = gather([run]).finished
    assert (read.name, read.seconds) == ("a/b", 75)
    assert read.settings == {"agent._target_": "agents.PPO", "agent.beta": [2, 1], "seed": 0}
    assert read.curve == ((20, 0.25), (40, 0.75))
    assert read.utility == pytest.approx(0.75 * 1 + 0.25 * 0.5)


def test_names_leave_out_what_all_share(outputs):
    gathered = gather(find_runs(str(outputs / "*")))
    assert [run.name for run in gathered.finished][:2] == ["multirun/2026-01-03/0", "multirun/2026-01-03/1"]
    assert gathered.unfinished == ("outputs/2026-01-02/killed",)


DAMAGES = {
    "front.json": ('{"format": 1', "must be JSON"),
    "metrics.jsonl": ("nonsense\n{}\n", "one JSON object a line"),
    ".hydra/config.yaml": ("a: [1", "must be YAML"),
}


@pytest.mark.parametrize("file", DAMAGES)
def test_a_broken_run_is_named_with_its_reason_and_stops_nothing(tmp_path, file):
    write_run(tmp_path / "good", small_front())
    (write_run(tmp_path / "bad", small_front()).path / file).write_text(DAMAGES[file][0])
    gathered = gather(find_runs(str(tmp_path)))
    assert [run.name for run in gathered.finished] == ["good"]
    assert DAMAGES[file][1] in gathered.broken["bad"]
    assert "\n" not in gathered.broken["bad"]


def test_an_unknown_utility_is_a_reason(tmp_path):
    write_run(tmp_path / "good", small_front())
    write_run(tmp_path / "bad", small_front(utility="prospect"))
    assert gather(find_runs(str(tmp_path))).broken == {"bad": "utility: one that this version knows, got 'prospect'"}


def test_numbers_that_are_none_leave_a_gap(tmp_path):
    run = write_run(tmp_path / "run", small_front(), curve=())
    run.metrics.write_text(
        '{"step": 1, "hypervolume": null}\n{"step": "x", "hypervolume": 1}\n{"step": 3, "hypervolume": 1}\n'
    )
    assert gather([run]).finished[0].curve == ((3, 1.0),)


def test_a_copy_tells_no_time(tmp_path):
    run = write_run(tmp_path / "run", small_front())
    now = run.front.stat().st_mtime
    os.utime(run.path / ".hydra" / "config.yaml", (now, now))
    assert gather([run]).finished[0].seconds is None


def test_nothing_finished_is_one_line_with_the_reasons(tmp_path):
    write_run(tmp_path / "killed")
    (write_run(tmp_path / "bad", small_front()).front).write_text("")
    with pytest.raises(
        ConfigurationError, match=r"^runs: at least one with a result, got 1 without; bad: .* must be JSON"
    ):
        gather(find_runs(str(tmp_path)))


def test_a_search_has_the_settings_of_its_training_run(tmp_path):
    write_run(tmp_path / "trained", small_front(), {"env": {"reach": 3, "host": "searched"}, "online": {"refine": 12}})
    stated = {"run": "trained", "env": {"host": None}, "online": {"refine": 2}, "known": True}
    searched = write_run(tmp_path / "searched", small_front(), stated)
    hydra = yaml.safe_dump({"hydra": {"runtime": {"cwd": str(tmp_path)}}})
    (searched.path / ".hydra" / "hydra.yaml").write_text(hydra)
    assert settings_of(searched) == {
        "run": "trained",
        "known": True,
        "env.reach": 3,
        "env.host": "searched",
        "online.refine": 2,
    }


def test_a_run_that_refers_to_itself_ends(tmp_path):
    run = write_run(tmp_path / "run", small_front(), {"run": str(tmp_path / "run"), "known": True})
    assert settings_of(run) == {"run": str(tmp_path / "run"), "known": True}
    assert settings_of(RunFolder(tmp_path)) == {}
