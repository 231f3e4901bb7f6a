"""A recipe is its content: names are for people, digests for identity."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hm3.errors import ConfigurationError
from hm3.recipe import FORMAT, LayerRef, MergeSpec, Recipe, Source, digest_of

BASE, MATH, CODE = Source("base", "d0"), Source("math", "d1"), Source("code", "d2")
SPEC = MergeSpec("dare_ties", BASE, (MATH, CODE), (0.75, 0.25), (("density", 0.5), ("seed", 1)))
MERGED = Source.merged("mixed", SPEC)
SOURCES = {source.name: source for source in (BASE, MATH, CODE, MERGED)}

layers = st.tuples(st.sampled_from(sorted(SOURCES)), st.integers(0, 7)).map(lambda pair: LayerRef(*pair))
recipes = st.builds(
    lambda path, embedding, head: Recipe.build(path, embedding, head, SOURCES),
    st.lists(layers, min_size=1, max_size=12),
    st.sampled_from(sorted(SOURCES)),
    st.sampled_from(sorted(SOURCES)),
)


def stack(text, embedding="base", head="base", sources=SOURCES):
    refs = [LayerRef(name, int(layer)) for name, layer in (part.split(":") for part in text.split())]
    return Recipe.build(refs, embedding, head, sources)


@given(recipes)
def test_a_recipe_survives_json(recipe):
    read = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert read == recipe
    assert read.digest == recipe.digest
    assert hash(read) == hash(recipe)


@given(recipes)
def test_the_digest_ignores_what_sources_are_called(recipe):
    renamed = {name: replace(source, name=f"{name[::-1]}!") for name, source in SOURCES.items()}
    path = [LayerRef(renamed[ref.source].name, ref.layer) for ref in recipe.path]
    hosts = (renamed[recipe.embedding_host].name, renamed[recipe.head_host].name)
    other = Recipe.build(path, *hosts, {source.name: source for source in renamed.values()})
    assert other.digest == recipe.digest
    assert other.content == recipe.content
    assert other.seams == recipe.seams


def test_the_digest_tells_apart_layers_their_order_hosts_seam_rule_and_content():
    recipe = stack("base:0 math:1")
    others = [
        stack("base:0 math:2"),
        stack("math:1 base:0"),
        stack("base:0 math:1", embedding="math"),
        stack("base:0 math:1", head="math"),
        replace(recipe, seam="scale"),
        stack("base:0 math:1", sources=SOURCES | {"math": Source("math", "other")}),
    ]
    assert len({each.digest for each in [recipe, *others]}) == 7


def test_a_merge_is_its_parents_content_weights_and_settings():
    other_names = replace(SPEC, parents=(replace(MATH, name="m"), replace(CODE, name="c")))
    assert other_names.digest == SPEC.digest == MERGED.digest
    changes = (
        {"weights": (0.25, 0.75)},
        {"method": "ties"},
        {"settings": ()},
        {"base": None},
        {"parents": (CODE, MATH)},
    )
    assert len({replace(SPEC, **change).digest for change in changes} | {SPEC.digest}) == 6


def test_seams_are_where_neighbours_were_no_neighbours_in_one_source():
    # place                      0      1      2      3      4      5
    assert stack("base:0 base:1 math:2 math:3 math:3 math:5").seams == (2, 4, 5)
    assert Recipe.identity(BASE, 4).seams == ()
    assert stack("base:3").seams == ()


def test_sources_with_one_content_have_no_seam_between_them():
    sources = {"base": BASE, "copy": Source("copy", BASE.digest)}
    assert stack("base:0 copy:1 base:2", sources=sources).seams == ()


def test_an_identity_has_all_layers_of_one_source_in_order():
    recipe = Recipe.identity(MATH, 3)
    assert [str(ref) for ref in recipe.path] == ["math:0", "math:1", "math:2"]
    assert (recipe.embedding_host, recipe.head_host, recipe.depth) == ("math", "math", 3)
    assert recipe.sources == (MATH,)


def test_a_recipe_keeps_the_sources_that_it_uses():
    assert stack("math:0", embedding="base", head="code").sources == (BASE, CODE, MATH)
    assert stack("math:0", embedding="math", head="math").sources == (MATH,)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda value: value["path"].__setitem__(0, ["math", 1]),
        lambda value: value.update(head_host="math"),
        lambda value: value.update(seam="scale"),
        lambda value: value["sources"][0].update(digest="d9"),
        lambda value: value.update(digest="0" * 64),
    ],
    ids=["layer", "host", "seam", "source", "digest"],
)
def test_a_recipe_that_was_changed_by_hand_is_refused(tamper):
    value = stack("base:0 math:0").to_json()
    tamper(value)
    with pytest.raises(ConfigurationError, match=r"recipe\.digest: must fit the content"):
        Recipe.from_json(value)


def test_a_merge_that_was_changed_by_hand_is_refused():
    value = stack("mixed:0", "mixed", "mixed").to_json()
    value["sources"][0]["merge"]["weights"] = [0.5, 0.5]
    with pytest.raises(ConfigurationError, match="source mixed: digest must be that of its merge"):
        Recipe.from_json(value)


def test_another_format_is_refused():
    with pytest.raises(ConfigurationError, match=f"this version reads {FORMAT}, got 99"):
        Recipe.from_json(stack("base:0").to_json() | {"format": 99})


def test_a_recipe_needs_layers_and_exactly_its_sources():
    with pytest.raises(ConfigurationError, match="at least one layer"):
        Recipe.build([], "base", "base", SOURCES)
    with pytest.raises(ConfigurationError, match="exactly the sources used"):
        Recipe((LayerRef("base", 0),), "base", "base", (BASE, MATH))


def test_a_merge_needs_one_weight_for_each_parent():
    with pytest.raises(ConfigurationError, match="one for each parent, 2 in all, got 1"):
        MergeSpec("ties", BASE, (MATH, CODE), (1.0,))


def test_digests_do_not_depend_on_the_order_of_keys():
    assert digest_of({"a": 1, "b": [2]}) == digest_of({"b": [2], "a": 1})
    assert digest_of({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # sha256 of {}
