"""A stack speaks as its embedding host does, wherever the host keeps its chat templates."""

import json

import pytest
from transformers import AutoTokenizer

from hm3.checkpoints import Checkpoint, check_compatible
from hm3.errors import CheckpointError
from tests.stack_ways import recipe_of, reload
from tests.tiny import write_checkpoint

TEMPLATE = "{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}"
TOOLS = f"{TEMPLATE}<tools>"
CALL = [{"role": "user", "content": "hi"}]


def in_config(folder, template):
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"chat_template": template}))


def one_in_config(folder):
    """Transformers 4."""
    in_config(folder, TEMPLATE)


def two_in_config(folder):
    in_config(folder, [{"name": "default", "template": TEMPLATE}, {"name": "tool_use", "template": TOOLS}])


def one_in_a_file(folder):
    """Transformers 5."""
    (folder / "chat_template.jinja").write_text(TEMPLATE)


def two_in_files(folder):
    one_in_a_file(folder)
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "tool_use.jinja").write_text(TOOLS)


PLACES = {
    one_in_config: TEMPLATE,
    one_in_a_file: TEMPLATE,
    two_in_config: {"default": TEMPLATE, "tool_use": TOOLS},
    two_in_files: {"default": TEMPLATE, "tool_use": TOOLS},
}


@pytest.mark.parametrize("place", PLACES)
def test_a_stack_has_its_hosts_templates(place, tmp_path):
    paths = {name: write_checkpoint(tmp_path / name, depth=2) for name in "ab"}
    place(paths["a"])
    sources = {name: Checkpoint.open(name, path) for name, path in paths.items()}
    assert check_compatible([*sources.values()]) == []
    reload(sources, recipe_of(sources, ("a0", "b1")), tmp_path / "stack")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "stack")
    assert tokenizer.chat_template == PLACES[place]
    assert tokenizer.apply_chat_template(CALL, tokenize=False) == "<user>hi"


def test_another_template_beside_the_default_one_makes_another_source(tmp_path):
    path = write_checkpoint(tmp_path / "a", depth=1)
    two_in_files(path)
    before = Checkpoint.open("a", path).digest
    (path / "additional_chat_templates" / "tool_use.jinja").write_text(TEMPLATE)
    assert Checkpoint.open("a", path).digest != before


@pytest.mark.parametrize("link", ["additional_chat_templates", "additional_chat_templates/tool_use.jinja"])
def test_templates_that_are_links_to_elsewhere_are_refused(link, tmp_path):
    path, elsewhere = write_checkpoint(tmp_path / "a", depth=1), tmp_path / "private" / "of mine"
    elsewhere.mkdir(parents=True)
    two_in_files(elsewhere)
    (path / link).parent.mkdir(exist_ok=True)

    (path / link).symlink_to(elsewhere / link)
    with pytest.raises(CheckpointError, match=rf"{(path / link).name}: a file of this folder, got a link to"):
        Checkpoint.open("a", path)
