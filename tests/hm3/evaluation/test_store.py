"""The store keeps what was measured, by content, whoever else writes and however the process ends."""

import math
import multiprocessing
import os
import signal
import sqlite3
import stat

import pytest

from hm3.errors import OutputError
from hm3.evaluation import EvaluationStore
from hm3.evaluation.store import VERSION

SPAWN = multiprocessing.get_context("spawn")


def write_many(path, worker, count):
    with EvaluationStore(path) as store:
        for i in range(count):
            store.write({f"{worker} {i}": {"acc": [float(i)]}, f"shared {i}": {"acc": [1.0]}})


def write_and_die(path):
    store = EvaluationStore(path)
    store.write({"whole": {"acc": [1.0]}})
    store._connection.execute("BEGIN IMMEDIATE")
    store._connection.execute("INSERT INTO measures VALUES ('half', x'00')")
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "store.sqlite"


def test_what_is_written_is_read_back_exactly(path):
    measures = {"acc": [0.1 + 0.2, 1e-300, 1.0], "f1": [[0, 1], [1, 1]], "text": ["ü", ""]}
    with EvaluationStore(path) as store:
        store.write({"a": measures, "b": {"acc": [math.nan]}})
    with EvaluationStore(path) as store:
        found = store.read(["a", "b", "unknown"])
    assert found["a"] == measures
    assert math.isnan(found["b"]["acc"][0])
    assert set(found) == {"a", "b"}


def test_more_keys_than_one_query_takes_are_read(path):
    with EvaluationStore(path) as store:
        store.write({str(i): {"acc": [i]} for i in range(1234)})
        assert len(store.read([str(i) for i in range(2000)])) == 1234


def test_what_is_there_stays(path):
    with EvaluationStore(path) as store:
        store.write({"a": {"acc": [1.0]}})
        store.write({"a": {"acc": [2.0]}, "b": {"acc": [3.0]}})
        assert store.read(["a", "b"]) == {"a": {"acc": [1.0]}, "b": {"acc": [3.0]}}


def test_processes_that_make_and_write_one_store_at_once_lose_nothing(path):
    workers = [SPAWN.Process(target=write_many, args=(path, worker, 50)) for worker in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    with EvaluationStore(path) as store:
        keys = [f"{who} {i}" for who in (0, 1, "shared") for i in range(50)]
        assert len(store.read(keys)) == 150


def test_a_killed_process_loses_only_what_it_had_not_finished(path):
    process = SPAWN.Process(target=write_and_die, args=(path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with EvaluationStore(path) as store:
        assert store.read(["whole", "half"]) == {"whole": {"acc": [1.0]}}
        store.write({"half": {"acc": [2.0]}})  # nothing is locked


def test_a_store_of_another_version_is_left_alone(path):
    EvaluationStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={VERSION + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(OutputError, match=f"version {VERSION}, got version {VERSION + 1} in .*; left alone"):
        EvaluationStore(path)
    assert path.read_bytes() == before


def test_somebody_elses_database_is_left_alone(tmp_path):
    path = tmp_path / "other.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(OutputError, match="left alone"):
        EvaluationStore(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["other.sqlite"]


def test_a_file_that_is_no_database_is_named(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes, and they are not a database\n" * 100)
    with pytest.raises(OutputError, match=r"evaluator\.store: a SQLite file, got .*notes\.txt"):
        EvaluationStore(path)
    assert path.read_text().startswith("these are my notes")


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"evaluator\.store: .*file/store\.sqlite"):
        EvaluationStore(tmp_path / "file" / "store.sqlite")
    with pytest.raises(OutputError, match=r"evaluator\.store"):
        EvaluationStore(tmp_path)  # a folder


def test_a_store_that_became_read_only_says_so(path):
    store = EvaluationStore(path)
    store._connection.execute("PRAGMA query_only=1")
    with pytest.raises(OutputError, match=r"evaluator\.store: .*readonly"):
        store.write({"a": {"acc": [1.0]}})
    store._connection.execute("PRAGMA query_only=0")
    store.write({"a": {"acc": [1.0]}})  # no transaction was left open
    assert store.read(["a"])
    store.close()


@pytest.fixture
def closed(tmp_path):
    """A folder that even its owner may only read."""
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    return folder


@pytest.fixture
def not_root():
    """Root may write everywhere, so for the length of a test it is nobody."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield
    os.seteuid(user)


def test_a_folder_without_permission_is_named(closed, not_root):
    with pytest.raises(OutputError, match=r"evaluator\.store"):
        EvaluationStore(closed / "store.sqlite")
