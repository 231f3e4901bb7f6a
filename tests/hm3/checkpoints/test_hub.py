"""Models of the Hub are found in its local cache; what can't be had is one clear line."""

import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants

from hm3.checkpoints import Checkpoint, hub_folder, is_hub_id
from hm3.errors import CheckpointError
from tests.tiny import write_checkpoint

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache on a machine without a network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.fixture
def cached(cache):
    """The cache with a model ``org/chat`` as the Hub's client keeps it."""
    model = cache / "models--org--chat"
    write_checkpoint(model / "snapshots" / COMMIT)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    return model


@pytest.mark.parametrize("text", ["org/chat", "org/chat@main", f"org/chat@{COMMIT}"])
def test_a_model_that_was_fetched_before_needs_no_network(cached, text):
    folder = hub_folder("chat", text)
    assert folder == cached / "snapshots" / COMMIT
    assert Checkpoint.open("chat", folder).depth == 4


def test_an_unknown_model_is_one_line(cache):
    with pytest.raises(CheckpointError) as caught:
        hub_folder("chat", "org/chat")
    assert str(caught.value) == (
        "source chat: a folder, zoo:NAME or a model of the Hub, got 'org/chat' "
        "(not in the local cache, and the Hub cannot be reached: HF_HUB_OFFLINE is set)"
    )


def test_what_looks_like_a_hub_id(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("models/chat").mkdir(parents=True)
    ids = [
        "org/chat",
        "org/chat-1.5B@v2",
        "models/chat",
        "/models/chat",
        "models/chat/best",
        "~/chat",
        "chat",
        "./chat",
    ]
    assert [text for text in ids if is_hub_id(text)] == ["org/chat", "org/chat-1.5B@v2"]
    shutil.rmtree("models")
    assert is_hub_id("models/chat")
