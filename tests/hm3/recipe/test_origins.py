"""Where a source is found again is told with it, and no part of what it is."""

import json
from dataclasses import replace

import pytest

from hm3.errors import ConfigurationError
from hm3.recipe import LayerRef, MergeSpec, Recipe, Source

HERE = Source("math", "d1", origin="/models/math")
THERE = Source("math", "d1", origin="org/math@0123")
BASE = Source("base", "d0", origin="zoo:base")
MERGED = Source.merged("mixed", MergeSpec("ties", BASE, (HERE,), (1.0,)))


def identity(source):
    return Recipe.identity(source, 2)


def test_sources_that_differ_in_origin_alone_are_one():
    assert HERE == THERE
    assert len({HERE, THERE}) == 1
    assert identity(HERE) == identity(THERE)
    assert identity(HERE).digest == identity(THERE).digest
    assert MergeSpec("ties", BASE, (HERE,), (1.0,)).digest == MergeSpec("ties", BASE, (THERE,), (1.0,)).digest


def test_origins_survive_json_in_merges_too():
    read = Recipe.from_json(json.loads(json.dumps(identity(MERGED).to_json())))
    assert [source.origin for source in read.sources[0].given] == ["zoo:base", "/models/math"]
    assert read.to_json() == identity(MERGED).to_json()


def test_recipes_of_old_say_nothing_of_origins():
    value = identity(HERE).to_json()
    del value["sources"][0]["origin"]
    assert Recipe.from_json(value).sources[0].origin is None
    assert "origin" not in Recipe.from_json(value).to_json()["sources"][0]


def test_an_origin_is_text():
    value = identity(MERGED).to_json()
    value["sources"][0]["merge"]["parents"][0]["origin"] = ["/models/math"]
    with pytest.raises(ConfigurationError, match="recipe: as HM3 writes it"):
        Recipe.from_json(value)


def test_what_is_given_in_the_end():
    nested = Source.merged("again", MergeSpec("ties", None, (MERGED, Source("code", "d2")), (1.0, 1.0)))
    assert [source.name for source in nested.given] == ["base", "math", "code"]
    assert HERE.given == (HERE,)


def test_origins_are_filled_in_where_they_are_missing():
    sources = {"base": BASE, "math": replace(HERE, origin=None), "mixed": MERGED}
    recipe = Recipe.build([LayerRef("math", 0), LayerRef("mixed", 1)], "base", "base", sources)
    filled = recipe.with_origins({"base": "/elsewhere", "math": "/found", "mixed": "/cache"})
    assert {source.name: source.origin for source in filled.sources} == {
        "base": "zoo:base", "math": "/found", "mixed": None
    }  # fmt: skip
