"""The form that people write by hand: what it means, and what it says of a mistake."""

import pytest

from hm3.errors import ConfigurationError
from hm3.recipe import LayerRef, ShortForm, Source


def short(**changes):
    value = {"sources": {"base": "models/base", "chat": "org/chat"}, "path": ["base:0-1", "chat:7"], **changes}
    return {key: each for key, each in value.items() if each is not None}


def test_ranges_include_both_ends():
    form = ShortForm.from_value(short(path=["base:0-2", "chat:2-2", "base:11", "chat:0-1"]))
    layers = "base:0 base:1 base:2 chat:2 base:11 chat:0 chat:1"
    assert [str(ref) for ref in form.path] == layers.split()


def test_hosts_are_the_sources_of_the_first_and_the_last_layer_unless_stated():
    form = ShortForm.from_value(short())
    assert (form.embedding_host, form.head_host, form.on_mismatch) == ("base", "chat", None)
    form = ShortForm.from_value(short(embedding_host="chat", head_host="base", on_mismatch="host"))
    assert (form.embedding_host, form.head_host, form.on_mismatch) == ("chat", "base", "host")


def test_names_may_have_colons():
    form = ShortForm.from_value({"sources": {"a:b": "x"}, "path": ["a:b:3-4"]})
    assert form.path == (LayerRef("a:b", 3), LayerRef("a:b", 4))


MISTAKES = {
    "recipe: sources and path, perhaps embedding_host, head_host, on_mismatch, got sources": short(path=None),
    "got path": short(sources=None),
    "got sources, path, layers": short(layers=[]),
    "recipe: sources and path, perhaps embedding_host, head_host, on_mismatch, got list": [],
    "recipe.sources: NAME: PLACE for each, got list": short(sources=["base"]),
    "recipe.sources: names as text, got 1 (quotes make it one)": short(sources={1: "x"}),
    "recipe.sources.base: a folder, zoo:NAME or org/name, got dict": short(sources={"base": {"path": "x"}}),
    "recipe.sources.base: a folder, zoo:NAME or org/name, got None": short(sources={"base": None}),
    "recipe.path: a list of ranges such as [base:0-11, chat:8-23], got 'base:0-1'": short(path="base:0-1"),
    "recipe.path: a list of ranges such as [base:0-11, chat:8-23], got list": short(path=[]),
    "recipe.path[1]: NAME:FIRST-LAST or NAME:LAYER, without spaces, got dict": short(path=["base:0", {"base": 1}]),
    "recipe.path[0]: NAME:FIRST-LAST or NAME:LAYER, without spaces, got 'base'": short(path=["base"]),
    "recipe.path[0]: NAME:FIRST-LAST or NAME:LAYER, without spaces, got 'base:0-'": short(path=["base:0-"]),
    "recipe.path[0]: NAME:FIRST-LAST or NAME:LAYER, without spaces, got 'base:-1'": short(path=["base:-1"]),
    "recipe.path[0]: NAME:FIRST-LAST or NAME:LAYER, without spaces, got 'base:0-99999'": short(path=["base:0-99999"]),
    "recipe.path[0]: NAME:FIRST-LAST or NAME:LAYER, without spaces, got 67": short(path=[67]),
    "recipe.path[0]: FIRST-LAST in rising order, both included, got 'base:3-1'": short(path=["base:3-1"]),
    "recipe.path: at most 10000 layers, got more": short(path=["base:0-9999", "base:0"]),
    "recipe.path: of the sources base, chat, got 'talk'": short(path=["base:0", "talk:1"]),
    "recipe.embedding_host: of the sources base, chat, got 'talk'": short(embedding_host="talk"),
    "recipe.head_host: of the sources base, chat, got list": short(head_host=["base"]),
}  # fmt: skip


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_one_line(line):
    with pytest.raises(ConfigurationError) as error:
        ShortForm.from_value(MISTAKES[line])
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_the_recipe_has_the_sources_that_are_used():
    form = ShortForm.from_value(short(sources={"base": "x", "chat": "y", "spare": "z"}))
    assert form.used == ("base", "chat")
    recipe = form.recipe({"base": Source("base", "d0"), "chat": Source("chat", "d1"), "spare": Source("spare", "d2")})
    assert [source.name for source in recipe.sources] == ["base", "chat"]
    assert [str(ref) for ref in recipe.path] == ["base:0", "base:1", "chat:7"]
