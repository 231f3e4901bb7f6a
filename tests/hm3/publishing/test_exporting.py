"""The command: a stack by name from the Hub, out of a run or by hand, to the Hub, and back with stock tools."""

import json
import signal

import pytest
import torch
from huggingface_hub import ModelCard, snapshot_download
from transformers import AutoModelForCausalLM, AutoTokenizer

from hm3.checkpoints import hub_folder
from tests.hm3.publishing.conftest import alone
from tests.hub import TOKEN
from tests.tiny import write_checkpoint

QWEN = ("Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-0.5B-Instruct")
STACK = """
sources: {base: Qwen/Qwen2.5-0.5B, chat: Qwen/Qwen2.5-0.5B-Instruct}
path: [base:0-2, chat:1-3]
"""


@pytest.fixture
def qwen(hub, tmp_path):
    """Two tiny models under the names of two that everybody knows."""
    for seed, name in enumerate(QWEN):
        folder = write_checkpoint(tmp_path / name, family="qwen2", seed=seed, tied=True, dtype=torch.float32)
        (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
        hub.add(name, folder)
    return {name: hub.repositories[name].head.oid for name in QWEN}


def shown(hub, name):
    files = dict(hub.repositories[name].head.files)
    files.pop(".gitattributes")
    return files


def test_two_models_by_name_become_a_stack_that_stock_transformers_loads_from_the_hub(hub, qwen, exporting, home):
    (home / "stack.yaml").write_text(STACK)
    done = exporting("recipe=stack.yaml", "out=stack", "push_to_hub=org/stack")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1].endswith(f": 6 layers in {hub.endpoint}/org/stack")
    assert "HTTP" not in done.out
    assert shown(hub, "org/stack") == {file.name: file.read_bytes() for file in (home / "stack").iterdir()}
    model = AutoModelForCausalLM.from_pretrained("org/stack")
    tokenizer = AutoTokenizer.from_pretrained("org/stack")
    assert _agrees(model, tokenizer("2+2=", return_tensors="pt")["input_ids"])


@torch.no_grad()
def _agrees(model, tokens):
    """Whether a stack computes what layers moved by hand compute."""
    base, chat = (AutoModelForCausalLM.from_pretrained(name) for name in QWEN)
    base.model.layers = torch.nn.ModuleList([*base.model.layers[:3], *chat.model.layers[1:]])
    base.model.norm, base.lm_head = chat.model.norm, chat.lm_head
    base.config.num_hidden_layers, base.config.layer_types = 6, ["full_attention"] * 6
    expected = base(tokens, use_cache=False).logits
    return torch.allclose(model(tokens, use_cache=False).logits, expected, atol=1e-5)


def test_the_recipe_and_the_card_pin_the_commits(hub, qwen, exporting, home):
    (home / "stack.yaml").write_text(STACK)
    assert exporting("recipe=stack.yaml", "push_to_hub=org/stack").code == 0
    files = shown(hub, "org/stack")
    origins = {source["name"]: source["origin"] for source in json.loads(files["recipe.json"])["sources"]}
    assert origins == {"base": f"{QWEN[0]}@{qwen[QWEN[0]]}", "chat": f"{QWEN[1]}@{qwen[QWEN[1]]}"}
    data = ModelCard(files["README.md"].decode()).data
    assert (data.base_model, data.base_model_relation, data.license) == ([*QWEN], "merge", "apache-2.0")


def test_the_pushed_recipe_builds_the_same_bytes_again_after_the_sources_moved_on(hub, qwen, exporting, home):
    (home / "stack.yaml").write_text(STACK)
    assert exporting("recipe=stack.yaml", "push_to_hub=org/stack").code == 0
    for name in QWEN:
        hub.repositories[name].commit({"README.md": b"gone"}, "another model")
    folder = snapshot_download("org/stack", ignore_patterns=[".gitattributes"])
    done = exporting(f"recipe={folder}", "out=again")
    assert (done.code, done.err) == (0, "")
    again = {file.name: file.read_bytes() for file in (home / "again").iterdir()}
    assert again == shown(hub, "org/stack")


def test_a_recipe_is_read_from_the_hub_by_name_without_the_weights_beside_it(hub, qwen, exporting, home):
    (home / "stack.yaml").write_text(STACK)
    assert exporting("recipe=stack.yaml", "push_to_hub=org/stack").code == 0
    files, commit = shown(hub, "org/stack"), hub.repositories["org/stack"].head.oid
    hub.repositories["org/stack"].commit({"README.md": b"gone"}, "another model")
    hub.forget()
    done = exporting(f"recipe=org/stack@{commit}", "out=again")
    assert (done.code, done.err) == (0, "")
    assert {file.name: file.read_bytes() for file in (home / "again").iterdir()} == files
    asked = [request.path for request in hub.requests if request.path.startswith("/org/stack/resolve")]
    assert {path.rpartition("/")[2] for path in asked} == {"recipe.json", "mergekit.yaml", "README.md"}


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("org/none", "error: recipe: a file, a folder or a model of the Hub, got 'org/none' (HTTP 404: not on the Hub"),
        ("org/plain", "a model of the Hub, got 'org/plain' (a model without recipe.json)"),
        ("org/recipe.json", "recipe (org): recipe.json: a readable file, got No such file or directory"),
        ("org/stack.yaml", "error: recipe: a readable file, got org/stack.yaml (No such file or directory)"),
    ],
)
def test_a_recipe_that_is_not_on_the_hub_is_one_line(hub, exporting, place, line):
    hub.add("org/plain", {"config.json": b"{}"})
    done = exporting(f"recipe={place}", "out=again")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert line in done.err


def test_a_run_goes_to_the_hub_with_its_picture_and_its_scores(hub, run, exporting, home):
    done = exporting(f"run={run}", "push_to_hub=org/stack", "private=true")
    assert (done.code, done.err) == (0, "")
    files = shown(hub, "org/stack")
    assert files["front.png"] == (run / "front.png").read_bytes()
    card = files["README.md"].decode()
    assert "](front.png)" in card
    results = {each.metric_name: each.metric_value for each in ModelCard(card).data.eval_results}
    assert results == {"math (acc)": 0.75, "code (acc)": 0.25}
    assert 'from_pretrained("org/stack")' in card
    assert hub.repositories["org/stack"].private
    assert not list(home.iterdir())


def test_a_preference_of_its_own_is_told(hub, run, exporting, home):
    done = exporting(f"run={run}", "+preference.weights={code:1}", "push_to_hub=org/stack")
    assert (done.code, done.err) == (0, "")
    card = shown(hub, "org/stack")["README.md"].decode()
    assert "Chosen from the front for the preference math 0%, code 100%." in card
    assert "# A stack of 5 layers" in card


def test_folders_of_this_machine_are_told_before_they_are_public(hub, run, exporting, models):
    done = exporting(f"run={run}", "push_to_hub=org/stack")
    assert f"names folders of this machine: {models['base']}, {models['chat']}" in done.out + done.err
    assert str(models["base"].parent) not in shown(hub, "org/stack")["README.md"].decode()


@pytest.mark.parametrize("out", [["out=model"], []])
def test_a_push_that_is_killed_goes_on_with_the_same_words(hub, run, exporting, home, out):
    """Two weight files arrive; the third is under way when the command dies."""
    words = [f"run={run}", "push_to_hub=org/stack", "shard_mb=0.02", *out]
    process = alone(hub, home, *words)
    hub.fail("PUT", "/lfs/", skip=2, drop_after=1000, when=lambda _: process.kill())
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL
    assert shown(hub, "org/stack") == {}
    arrived = set(hub.repositories["org/stack"].objects)
    assert len(arrived) == 2
    hub.forget()
    done = exporting(*words)
    assert (done.code, done.err) == (0, "")
    asked = {request.path.rpartition("/")[2] for request in hub.requests if request.method == "PUT"}
    assert asked
    assert not asked & arrived
    folder = hub_folder("stack", "org/stack")
    assert AutoModelForCausalLM.from_pretrained(folder).config.num_hidden_layers == 4
    assert [path.name for path in home.iterdir()] == [each.removeprefix("out=") for each in out]


def test_what_was_written_already_is_pushed_as_it_is(hub, run, exporting, home):
    """Also with a card that somebody has gone over since."""
    assert exporting(f"run={run}", "out=model").code == 0
    card = home / "model" / "README.md"
    card.write_text(card.read_text() + "\nSay hello to it.\n")
    done = exporting(f"run={run}", "out=model", "push_to_hub=org/stack")
    assert (done.code, done.err) == (0, "")
    assert shown(hub, "org/stack")["README.md"].decode().endswith("Say hello to it.\n")


def test_another_model_in_the_folder_is_not_pushed(hub, run, exporting, home):
    assert exporting(f"run={run}", "out=model").code == 0
    done = exporting(f"run={run}", "+preference.weights={code:1}", "out=model", "push_to_hub=org/stack")
    assert done.code == 2
    assert "output" in done.err
    assert "org/stack" not in hub.repositories


MISTAKES = {
    "push_to_hub=stack": "error: push_to_hub: org/name, got 'stack' (no organisation or user before a slash)",
    "push_to_hub=a/b/c": "error: push_to_hub: org/name, got 'a/b/c' (Repo id must be in the form",
    "push_to_hub=org/stack private=maybe": "error: private: true or false, got 'maybe'",
    "private=true": "error: out: needs a value, out=..., got none",
    "push_to_hub=org/theirs": "error: push_to_hub org/theirs: a new repository or one that HM3 wrote",
    "push_to_hub=org/public": "error: push_to_hub org/public: private=true, as stated, got a repository with",
}


@pytest.mark.parametrize("words", MISTAKES)
def test_mistakes_are_told_before_the_export_begins(hub, exporting, words):
    hub.add("org/theirs", {"pytorch_model.bin": b"x"}, private=True)
    hub.add("org/public", {})
    done = exporting("run=nowhere", *words.split())
    assert done.code == 2
    assert done.err.startswith(MISTAKES[words])
    assert done.err.count("\n") == 1


def test_nobody_is_logged_in(exporting, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    done = exporting("run=nowhere", "push_to_hub=org/stack")
    assert done.err == (
        "error: push_to_hub: a token of the Hub, got none (log in with `hf auth login`, or set HF_TOKEN)\n"
    )


FAILURES = {
    **{str(status): {"status": status, "message": f"no {TOKEN}"} for status in (401, 403, 409, 500)},
    "dropped": {"drop_after": 0},
}


@pytest.mark.parametrize("failure", FAILURES)
def test_the_token_is_in_nothing_that_the_command_leaves(hub, run, exporting, tmp_path, failure):
    hub.fail("POST", "/commit/", **FAILURES[failure])
    done = exporting(f"run={run}", "out=model", "push_to_hub=org/stack")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "canary" not in done.out + done.err
    assert not [file for file in tmp_path.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()]


def test_a_traceback_does_not_show_the_token_and_a_mirror_without_xet_is_told_what_helps(hub, run, home):
    pytest.importorskip("hf_xet")
    process = alone(hub, home, f"run={run}", "push_to_hub=org/stack", HF_HUB_DISABLE_XET="0", HYDRA_FULL_ERROR="1")
    out, err = process.communicate(timeout=300)
    assert err.rstrip().endswith("set HF_HUB_DISABLE_XET=1)")
    assert "Traceback" in err
    assert "canary" not in out + err
