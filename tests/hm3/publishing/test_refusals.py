"""What goes wrong with the Hub is one line that says what to do, and the token is in none of it."""

import logging
import traceback

import pytest
from huggingface_hub import constants

from hm3.checkpoints import hub_folder
from hm3.command.quiet import quiet
from hm3.errors import CheckpointError, ConfigurationError, HM3Error, OutputError
from hm3.publishing import planned
from tests.hub import TOKEN

NAME = "org/stack"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "stack"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights" * 100)
    (folder / "recipe.json").write_text("{}")
    (folder / "README.md").write_text("---\ntags: [merge]\n---\n")
    return folder


def refusal(folder, name=NAME, *, private=True, overwrite=False):
    """The line that a push ends with."""
    with pytest.raises(HM3Error) as caught:
        planned(name, private=private, overwrite=overwrite).push(folder, "Add a stack")
    line = str(caught.value)
    assert "\n" not in line
    return line


SAYS = {
    401: "HTTP 401: not logged in, or not with a valid token; log in with `hf auth login`, or set HF_TOKEN",
    403: "HTTP 403: no right to do this with this token",
    404: "HTTP 404: not on the Hub, or not visible with this token",
    409: "HTTP 409: a conflict with what is there; say it again",
    413: "HTTP 413: more than the Hub takes",
    418: "HTTP 418: refused by the Hub",
    429: "HTTP 429: too many requests; say it again later",
    500: "HTTP 500: the Hub fails; say it again later",
}
STEPS = ("/repos/create", "/preupload/", "/objects/batch", "/objects/verify", "/commit/")


@pytest.mark.parametrize("status", SAYS)
@pytest.mark.parametrize("step", STEPS)
def test_every_refusal_at_every_step_is_one_line(hub, folder, step, status):
    hub.fail("POST", step, status=status, message="the Hub's own words")
    line = refusal(folder)
    assert line.startswith(f"push_to_hub {NAME}: a repository that can be written ({SAYS[status]}")
    assert "it says: the Hub's own words" in line


def test_an_invalid_token_is_told_before_anything_is_sent(hub, folder, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_outdated")
    assert SAYS[401] in refusal(folder)
    assert {request.method for request in hub.requests} == {"GET"}


def test_no_right_to_write_in_an_organisation(hub, folder):
    assert SAYS[403] in refusal(folder, "strangers/stack")


def test_no_token_says_how_to_log_in(hub, folder, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    expected = "push_to_hub: a token of the Hub, got none (log in with `hf auth login`, or set HF_TOKEN)"
    assert refusal(folder) == expected
    assert hub.requests == []


def test_the_token_of_a_login_is_as_good(hub, folder, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "huggingface").mkdir(exist_ok=True)
    (tmp_path / "huggingface" / "token").write_text(TOKEN)
    planned(NAME, private=True).push(folder, "Add a stack")
    assert NAME in hub.repositories


@pytest.mark.parametrize(
    "name", ["stack", "org/stack/more", "org/", "/stack", "org/-stack", "org/a--b", "org/a..b", "org/st ack", "o" * 99]
)
def test_what_is_no_name_of_a_repository_is_told_without_asking_anybody(hub, folder, name):
    assert refusal(folder, name).startswith(f"push_to_hub: org/name, got {name!r} (")
    assert hub.requests == []


def test_no_network(hub, folder, monkeypatch):
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "the Hub at 127.0.0.1 cannot be reached" in refusal(folder)


def test_offline_by_choice(hub, folder, monkeypatch):
    from huggingface_hub import close_session

    close_session()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert refusal(folder).endswith("(the Hub cannot be reached: HF_HUB_OFFLINE is set)")


def test_a_card_that_the_hub_does_not_take_is_one_line(hub, folder):
    (folder / "README.md").write_text("---\nlicense: other\n---\n")
    assert refusal(folder).endswith("(HTTP 400: refused by the Hub; it says: AssertionError: license_name is missing)")


@pytest.mark.parametrize("token", [f"{TOKEN}\x01", f"{TOKEN}ü", f"{TOKEN} more", f"{TOKEN}\tmore"])
def test_what_cannot_be_a_token_is_not_shown(hub, folder, monkeypatch, token):
    monkeypatch.setenv("HF_TOKEN", token)
    assert refusal(folder) == ("HF_TOKEN, or the token of `hf auth login`: ASCII letters, got others (not shown)")
    with pytest.raises(ConfigurationError, match="not shown"):
        hub_folder("x", NAME)


@pytest.mark.parametrize("status", [None, *SAYS])
@pytest.mark.parametrize(
    ("method", "step"), [("GET", "/api/models/"), *(("POST", step) for step in STEPS), ("PUT", "/lfs/")]
)
def test_the_token_is_never_shown(hub, folder, caplog, capfd, tmp_path, method, step, status):
    """Not even where the Hub sends it back: in no message, log, traceback or file."""
    quiet()
    caplog.set_level(logging.DEBUG)
    hub.fail(method, step, **({"drop_after": 0} if status is None else {"status": status, "message": f"bad {TOKEN}"}))
    with pytest.raises(OutputError) as caught:
        planned(NAME, private=True).push(folder, "Add a stack")
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + "".join(capfd.readouterr())
    assert "canary" not in shown
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()]


@pytest.mark.parametrize("status", [None, *SAYS])
def test_a_download_that_fails_does_not_show_it_either(hub, caplog, capfd, status):
    hub.add(NAME, {"config.json": b"{}"})
    quiet()
    caplog.set_level(logging.DEBUG)
    hub.fail("GET", "/api/models", **({"drop_after": 0} if status is None else {"status": status, "message": TOKEN}))
    with pytest.raises(CheckpointError) as caught:
        hub_folder("x", NAME)
    shown = "".join(traceback.format_exception(caught.value)) + caplog.text + "".join(capfd.readouterr())
    assert "canary" not in shown
    assert "\n" not in str(caught.value)
