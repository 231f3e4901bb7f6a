"""A folder becomes a repository in one commit; what has arrived is not sent again."""

import hashlib
import json
import multiprocessing
import os
import signal

import pytest

from hm3.checkpoints import hub_folder
from hm3.errors import OutputError
from hm3.publishing import planned
from tests.hub import TOKEN

NAME = "org/stack"
WEIGHTS = [f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3)]
SIZE = 200_000  # bytes of each weight file


@pytest.fixture
def folder(tmp_path):
    """What an export leaves, as far as a push cares."""
    return write_folder(tmp_path / "stack")


def write_folder(folder, seed=0):
    folder.mkdir()
    for number, name in enumerate(WEIGHTS):
        (folder / name).write_bytes(hashlib.shake_256(b"%d %d" % (seed, number)).digest(SIZE))
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "seed": seed}))
    (folder / "recipe.json").write_text(json.dumps({"format": 1, "seed": seed}))
    (folder / "README.md").write_text("---\nlibrary_name: transformers\n---\n# A stack\n")
    return folder


def push(folder, *, private=True, overwrite=False):
    return planned(NAME, private=private, overwrite=overwrite).push(folder, "Add a stack")


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def shown(hub):
    """What people find on main, without the Hub's own file."""
    files = dict(hub.repositories[NAME].head.files)
    files.pop(".gitattributes")
    return files


def test_what_is_pushed_is_downloaded_byte_for_byte(hub, folder):
    assert push(folder) == f"{hub.endpoint}/{NAME}"
    assert contents(hub_folder("x", NAME)) == contents(folder)
    assert shown(hub) == contents(folder)


def test_one_commit_brings_everything(hub, folder):
    push(folder)
    assert [commit.title for commit in hub.repositories[NAME].commits] == ["initial commit", "Add a stack"]


@pytest.mark.parametrize("private", [True, False])
def test_the_repository_is_private_as_stated(hub, folder, private):
    push(folder, private=private)
    assert hub.repositories[NAME].private is private


@pytest.mark.parametrize("there", [True, False])
def test_a_repository_is_never_pushed_to_that_other_people_can_see_than_was_said(hub, folder, there):
    hub.add(NAME, {}, private=there)
    with pytest.raises(OutputError, match=rf"private={not there}, as stated, got .* private={there}".lower()):
        push(folder, private=not there)


def test_the_same_again_sends_and_commits_nothing(hub, folder):
    push(folder)
    hub.forget()
    push(folder)
    assert hub.sent() == []
    assert len(hub.repositories[NAME].commits) == 2


def test_another_stack_takes_the_place_of_the_first_and_shares_what_is_equal(hub, folder, tmp_path):
    push(folder)
    hub.forget()
    other = write_folder(tmp_path / "other", seed=1)
    (other / WEIGHTS[0]).write_bytes((folder / WEIGHTS[0]).read_bytes())
    (other / WEIGHTS[2]).unlink()
    push(other)
    assert shown(hub) == contents(other)
    assert hub.sent() == [SIZE]


def test_the_connection_breaks_and_the_same_command_sends_what_is_missing(hub, folder):
    hub.fail("PUT", "/lfs/", drop_after=SIZE // 2, skip=1)
    with pytest.raises(OutputError, match="cannot be reached") as caught:
        push(folder)
    assert "\n" not in str(caught.value)
    assert hub.sent() == [SIZE] + [SIZE // 2] * 6  # the client tries a broken file six times
    assert shown(hub) == {}
    hub.forget()
    push(folder)
    assert hub.sent() == [SIZE, SIZE]
    assert shown(hub) == contents(folder)


@pytest.mark.parametrize("path", ["/preupload/", "/objects/batch", "/objects/verify", "/commit/"])
@pytest.mark.parametrize("how", [{"drop_after": 0}, {"status": 503}])
def test_whatever_breaks_main_is_empty_and_the_same_command_goes_on(hub, folder, path, how):
    hub.fail("POST", path, **how)
    with pytest.raises(OutputError, match=r"^push_to_hub org/stack: [^\n]*$"):
        push(folder)
    assert shown(hub) == {}
    sent = len(hub.sent())
    hub.faults.clear()
    push(folder)
    assert shown(hub) == contents(folder)
    assert len(hub.sent()) == len(WEIGHTS) >= sent


def test_a_server_that_stumbles_is_asked_again(hub, folder):
    hub.fail("PUT", "/lfs/", status=500, times=2)
    hub.fail("POST", "/objects/batch", status=502, times=1)
    push(folder)
    assert shown(hub) == contents(folder)


def test_a_slow_server_shows_nothing_until_the_commit(hub, folder):
    seen = []
    hub.fail("PUT", "/lfs/", seconds=0.05, when=lambda _: seen.append(shown(hub)))
    hub.fail("POST", "/commit/", when=lambda _: seen.append(shown(hub)))
    push(folder)
    assert seen == [{}] * 4


def _pushing(folder, endpoint, scratch):
    """In a process of its own, which is killed."""
    from huggingface_hub import constants

    os.environ["HF_TOKEN"] = TOKEN
    constants.ENDPOINT, constants.HF_HUB_DISABLE_XET = endpoint, True
    push(folder)


def test_a_killed_push_goes_on_where_it_was(hub, folder, tmp_path):
    process = multiprocessing.get_context("fork").Process(target=_pushing, args=(folder, hub.endpoint, tmp_path))
    hub.fail("PUT", "/lfs/", skip=2, when=lambda _: os.kill(process.pid, signal.SIGKILL), drop_after=SIZE // 2)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert hub.sent()[:2] == [SIZE, SIZE]
    assert shown(hub) == {}
    hub.forget()
    push(folder)
    assert hub.sent() == [SIZE]
    assert shown(hub) == contents(folder)


def test_a_repository_with_something_else_is_left_alone(hub, folder):
    hub.add(NAME, {"pytorch_model.bin": b"mine", "README.md": b"mine"}, private=True)
    before = shown(hub)
    with pytest.raises(OutputError) as caught:
        push(folder)
    assert str(caught.value) == (
        "push_to_hub org/stack: a new repository or one that HM3 wrote, unless overwrite=true,"
        " got one with 'pytorch_model.bin'"
    )
    assert shown(hub) == before


def test_a_stack_with_rotations_beside_its_recipe_gets_a_new_version(hub, folder, tmp_path):
    (folder / "seams.tensors").write_bytes(b"rotations")
    push(folder)
    other = write_folder(tmp_path / "other", seed=1)
    push(other)
    assert shown(hub) == contents(other)


def test_what_somebody_added_to_a_stack_is_left_alone(hub, folder):
    push(folder)
    repository = hub.repositories[NAME]
    repository.commit({**repository.head.files, "stack.gguf": b"quantised"}, "add a file")
    with pytest.raises(OutputError, match=r"got one with 'stack\.gguf'"):
        push(folder)


def test_overwriting_leaves_the_old_state_in_the_history(hub, folder):
    hub.add(NAME, {"pytorch_model.bin": b"mine"}, private=True)
    push(folder, overwrite=True)
    assert shown(hub) == contents(folder)
    assert "pytorch_model.bin" in hub.repositories[NAME].commits[-2].files


def test_a_rule_of_the_repository_that_ignores_files_does_not_count(hub, folder):
    """The Hub leaves out what a .gitignore there names: weights would be missing."""
    hub.add(NAME, {".gitignore": b"*.safetensors\n"}, private=True)
    push(folder, overwrite=True)
    assert shown(hub) == contents(folder)


def test_a_commit_of_somebody_else_in_between_is_not_overwritten(hub, folder):
    def commit(_):
        repository = hub.repositories[NAME]
        repository.commit({**repository.head.files, "notes.md": b"mine"}, "add a file")

    hub.fail("PUT", "/lfs/", times=1, when=commit)
    with pytest.raises(OutputError, match="HTTP 412: somebody else has committed meanwhile; say it again"):
        push(folder)
    assert shown(hub) == {"notes.md": b"mine"}


def test_a_file_that_changes_under_way_never_becomes_a_commit(hub, folder):
    hub.fail("PUT", "/lfs/", times=1, when=lambda _: (folder / WEIGHTS[1]).unlink())
    with pytest.raises(OutputError):
        push(folder)
    assert shown(hub) == {}
