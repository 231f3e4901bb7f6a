"""Models of a real server: fetched once, pinned to a commit, and whatever is wrong with them is one line."""

import json
import logging
from pathlib import Path

import pytest
from huggingface_hub import close_session, constants

from hm3.checkpoints import Checkpoint, hub_folder
from hm3.composition.source_paths import open_source
from hm3.errors import CheckpointError
from tests.tiny import write_checkpoint

NAME = "org/chat"


@pytest.fixture
def model(hub, tmp_path):
    """A repository with a model, and beside it what nobody asked for."""
    folder = write_checkpoint(tmp_path / "model")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n")
    for name in ("pytorch_model.bin", "run_me.py", "model.gguf"):
        (folder / name).write_bytes(b"not wanted")
    return hub.add(NAME, folder)


def refusal(text=NAME):
    with pytest.raises(CheckpointError) as caught:
        hub_folder("chat", text)
    line = str(caught.value)
    assert line.startswith(f"source chat: a folder, zoo:NAME or a model of the Hub, got {text!r} (")
    assert "\n" not in line
    return line


def test_a_branch_a_tag_and_a_commit_lead_to_the_folder_of_one_commit(hub, model):
    commit = model.head.oid
    model.branches |= {"v1.5": commit, "refs/pr/7": commit}
    folders = {hub_folder("chat", f"{NAME}{at}") for at in ("", "@main", "@v1.5", "@refs/pr/7", f"@{commit}")}
    assert [folder.name for folder in folders] == [commit]
    assert Checkpoint.open("chat", *folders).depth == 4


def test_the_source_names_the_commit_that_a_branch_had(hub, model, tmp_path):
    before = open_source("chat", f"{NAME}@main", tmp_path / "merges")
    assert before.source.origin == f"{NAME}@{model.head.oid}"
    config = json.loads(model.head.files["config.json"]) | {"rms_norm_eps": 1e-4}
    model.commit({**model.head.files, "config.json": json.dumps(config).encode()}, "another")
    after = open_source("chat", f"{NAME}@main", tmp_path / "merges")
    assert after.source.origin == f"{NAME}@{model.head.oid}"
    assert after.digest != before.digest
    assert open_source("chat", str(before.source.origin), tmp_path / "merges").digest == before.digest


def test_only_what_makes_a_model_is_fetched(hub, model):
    names = {file.name for file in hub_folder("chat", NAME).iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= names
    assert not {"pytorch_model.bin", "run_me.py", "model.gguf"} & names


def test_what_was_fetched_is_not_fetched_again(hub, model):
    hub_folder("chat", NAME)
    hub.forget()
    hub_folder("chat", NAME)
    assert [request.path for request in hub.requests] == [f"/api/models/{NAME}/revision/main"]
    hub.forget()
    hub_folder("chat", f"{NAME}@{model.head.oid}")
    assert hub.requests == []


def test_what_was_fetched_is_there_without_a_network(hub, model, monkeypatch):
    folder = hub_folder("chat", NAME)
    close_session()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert hub_folder("chat", NAME) == folder
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert hub_folder("chat", NAME) == folder


def test_a_model_that_another_program_fetched_without_its_notes_is_enough(hub, model, monkeypatch):
    (hub_folder("chat", NAME) / "README.md").unlink()
    close_session()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert not (hub_folder("chat", NAME) / "README.md").exists()


def test_a_model_that_is_half_there_is_refused_without_a_network(hub, model, monkeypatch):
    (hub_folder("chat", NAME) / "model.safetensors").unlink()
    close_session()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert refusal().endswith(
        "(not in the local cache, and what is there of it is not whole; the Hub cannot be reached)"
    )


def test_a_download_that_breaks_is_taken_up_again(hub, model):
    hub.fail("GET", "model.safetensors", drop_after=0, times=1)
    assert Checkpoint.open("chat", hub_folder("chat", NAME)).depth == 4


@pytest.mark.parametrize("step", ["/revision/", "/tree/"])
def test_a_hub_that_fails_is_one_line(hub, model, step):
    hub.fail("GET", step, status=503, message="on holiday")
    line = refusal()
    assert "not in the local cache, and HTTP 503: the Hub fails; say it again later; it says: on holiday" in line


def test_no_such_model(hub):
    assert "HTTP 404: not on the Hub, or not visible with this token" in refusal()


def test_no_such_model_for_somebody_unknown(hub, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    assert "HTTP 401: not logged in, or not with a valid token; log in with `hf auth login`" in refusal()


def test_no_such_revision(hub, model):
    assert "HTTP 404: not on the Hub, or not visible with this token; it says: Invalid rev id: v9" in refusal(
        f"{NAME}@v9"
    )


def test_a_private_model_of_others(hub, model, monkeypatch):
    model.private = True
    monkeypatch.setitem(hub.accounts, "hf_stranger", ("stranger",))
    monkeypatch.setenv("HF_TOKEN", "hf_stranger")
    assert "HTTP 404: not on the Hub, or not visible with this token" in refusal()


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("hf_known", 403)])
def test_a_model_whose_terms_nobody_has_accepted(hub, model, monkeypatch, token, status):
    model.gated = True
    hub.accounts["hf_known"] = ("known",)
    monkeypatch.delenv("HF_TOKEN")
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    line = refusal()
    assert f"HTTP {status}: " in line
    assert f"it says: Access to model {NAME} is restricted." in line


def test_a_repository_without_safetensors_is_one_line(hub, tmp_path):
    hub.add(NAME, {"config.json": b'{"model_type": "llama", "num_hidden_layers": 2}', "pytorch_model.bin": b"\x80"})
    with pytest.raises(CheckpointError, match=r"^source chat \([^\n]*safetensors[^\n]*$"):
        Checkpoint.open("chat", hub_folder("chat", NAME))


@pytest.mark.filterwarnings("ignore:No files matched")
def test_an_empty_repository_is_one_line(hub, tmp_path, caplog):
    hub.add(NAME, {})
    with pytest.raises(CheckpointError, match=r"^source chat \([^\n]*$"):
        Checkpoint.open("chat", hub_folder("chat", NAME))


def test_names_that_lead_elsewhere_are_never_written(hub, model, tmp_path, caplog):
    caplog.set_level(logging.ERROR)
    bad = [
        "../../../escaped.json",
        "/tmp/escaped.json",
        "a/../../escaped.json",
        "..\\escaped.json",
        "x/model.safetensors",
    ]
    model.commit({**model.head.files, **dict.fromkeys(bad, b"{}")}, "add traps")
    folder = hub_folder("chat", NAME)
    assert Checkpoint.open("chat", folder).depth == 4
    found = [path for path in tmp_path.rglob("*escaped.json*") if path.parent.resolve() != folder.resolve()]
    assert [path for path in found if "blobs" not in path.parts] == []
    assert not (folder / "x").exists()
    assert not Path("/tmp/escaped.json").exists()


@pytest.mark.parametrize("sha", ["../../../../escaped", "main", ""])
def test_a_server_that_calls_a_commit_something_else_is_refused(hub, model, sha, tmp_path):
    from tests.hub.repositories import Commit

    model.commits[-1] = Commit(sha, model.head.files, "evil")
    model.branches["main"] = sha
    refusal()
    assert not list(tmp_path.rglob("escaped*/*.safetensors"))
