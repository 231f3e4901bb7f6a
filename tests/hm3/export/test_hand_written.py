"""A stack written by hand: sources by name, a path of ranges, and out comes a checkpoint like any other."""

import json
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from transformers import AutoModelForCausalLM, AutoTokenizer

from hm3.checkpoints import Checkpoint
from tests.hm3.export.conftest import content
from tests.tiny import edit_config, write_checkpoint

SHORT = """
sources:
  base: {base}
  chat: {chat}
path: [base:0-1, chat:1-3, base:3]
"""


def stack_of(models, text=SHORT):
    Path("stack.yaml").write_text(text.format(**models))
    return "recipe=stack.yaml"


@torch.no_grad()
def test_five_lines_make_a_model_that_stock_tools_load(exporting, models):
    folder = exporting(stack_of(models))
    assert {"README.md", "mergekit.yaml", "recipe.json", "tokenizer.json"} <= set(content(folder))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    by_hand = AutoModelForCausalLM.from_pretrained(models["base"], dtype=torch.float32)
    chat = AutoModelForCausalLM.from_pretrained(models["chat"], dtype=torch.float32)
    first, other = by_hand.model.layers, chat.model.layers
    by_hand.model.layers = torch.nn.ModuleList([first[0], first[1], other[1], other[2], other[3], first[3]])
    by_hand.config.num_hidden_layers = 6
    tokens = AutoTokenizer.from_pretrained(folder)("1 + 1 = ", return_tensors="pt")["input_ids"]
    logits = [each(tokens, use_cache=False).logits for each in (model, by_hand)]
    torch.testing.assert_close(*logits, atol=1e-5, rtol=0)


def test_the_model_is_rebuilt_from_its_recipe(exporting, models):
    first = exporting(stack_of(models))
    assert content(exporting("recipe=model/recipe.json", out="again")) == content(first)
    assert content(exporting(stack_of(models), out="same")) == content(first)


def test_hosts_give_tokenizer_config_and_head(exporting, models, home):
    path = write_checkpoint(home / "chat", near=models["chat"])
    edit_config(path, eos_token_id=5)
    hosts = "embedding_host: chat\nhead_host: chat\n"
    folder = exporting(stack_of({**models, "chat": path}, SHORT + hosts))
    assert json.loads((folder / "config.json").read_text())["eos_token_id"] == 5
    written, chat = Checkpoint.open("", folder), Checkpoint.open("", path)
    assert torch.equal(written.tensor("lm_head.weight"), chat.tensor("lm_head.weight"))


def test_the_card_says_what_it_is_made_of_and_has_no_scores(exporting, models):
    card = (exporting(stack_of(models)) / "README.md").read_text()
    assert "A stack of 6 layers" in card
    assert "| 2 | chat | 1 | yes |" in card
    assert "Scores" not in card
    assert str(models["base"].parent) not in card


def test_places_are_as_in_any_run(exporting, models, home, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    commit = "0" * 40
    write_checkpoint(home / "hub/models--org--chat/snapshots" / commit, near=models["base"])
    found = {"base": models["base"], "chat": f"org/chat@{commit}"}
    assert Checkpoint.open("", exporting(stack_of(found))).depth == 6
    assert Checkpoint.open("", exporting(stack_of({"base": "zoo:base", "chat": "zoo:math"}), out="zoo")).depth == 6


def test_scalars_that_differ_are_refused_or_the_hosts(exporting, refused, models, home, invoke):
    other = edit_config(write_checkpoint(home / "other", near=models["base"]), rms_norm_eps=0.5)
    recipe = stack_of({**models, "chat": other})
    line = refused(recipe)
    assert "source chat: rms_norm_eps must equal that of base, 1e-06, got 0.5; on_mismatch=host" in line
    from hm3 import export

    recipe = stack_of({**models, "chat": other}, SHORT + "on_mismatch: host\n")
    done = invoke(export.main, recipe, "out=model")
    assert done.code == 0
    assert "rms_norm_eps must equal that of base, 1e-06, got 0.5; the host's is used for every layer" in done.out
    assert json.loads(Path("model/config.json").read_text())["rms_norm_eps"] == 1e-6
    again = invoke(export.main, "recipe=model", "out=again")
    assert again.code == 0
    assert content(Path("again")) == content(Path("model"))


BAD = {
    "sources: {{base: {base}}}\npath: [base:0-9]": "source base: layers are 0 to 3, got 4",
    "sources: {{base: /no/such}}\npath: [base:0]": "source base (/no/such): path: a folder, got nothing there",
    "sources: {{base: zoo:chess}}\npath: [base:0]": "source base: the zoo has base, math, code, translation, got",
    "sources: {{base: {base} on {chat}}}\npath: [base:0]": "source base: a LoRA adapter on '/",
    "sources: {{base: {base}}}\npath: [base:0]\non_mismatch: maybe": "on_mismatch: refuse or host, got 'maybe'",
    "sources: {{base: {base}, base: {chat}}}\npath: [base:0]": "recipe: YAML, got stack.yaml (a key twice)",
    "sources: &a {{base: {base}}}\npath: *a": "recipe: YAML, got stack.yaml (no anchors, please)",
    "sources: [": "recipe: YAML, got stack.yaml (while parsing",
    "!!python/object/apply:os.system ['true']": "recipe: YAML, got stack.yaml (could not determine a constructor",
    "": "recipe: sources and path, perhaps embedding_host, head_host, on_mismatch, got NoneType",
    "merge_method: passthrough\nslices: []": "recipe: sources and path, perhaps embedding_host, head_host, on_mismatch",
    "\x00": "recipe: YAML, got stack.yaml (",
    "[" * 5000: "recipe: YAML, got stack.yaml (",
    "# " + "x" * 1_000_000: "recipe: a file of at most 1000000 bytes, got stack.yaml",
}


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_what_cannot_be_is_one_line(refused, models, text):
    assert BAD[text] in refused(stack_of(models, text))
