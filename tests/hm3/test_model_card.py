"""The card says what the model is made of, what it scores, and how it was chosen."""

from hm3.model_card import model_card
from hm3.objectives import Normaliser, Objective, Preference
from hm3.recipe import LayerRef, MergeSpec, Recipe, Source
from hm3.runs import FrontFile, Member, Model, SplitScores

MATH, CODE = Source("math", "1" * 64), Source("code", "2" * 64)
MERGED = Source.merged("merge", MergeSpec("dare_ties", CODE, (MATH, CODE), (0.7, 0.3), (("density", 0.5),)))
SOURCES = {source.name: source for source in (MATH, CODE, MERGED)}


def card():
    path = [LayerRef("math", 0), LayerRef("math", 1), LayerRef("merge", 1)]
    recipe = Recipe.build(path, "math", "code", SOURCES)
    member = Member(
        recipe,
        SplitScores({"quiz": 0.5123, "depth": -3.0}, {"quiz": 0.4321, "depth": -3.0}),
        {"hm3_math/exact_match": 0.25},
    )
    scores = SplitScores({"quiz": 0.2, "depth": -3.0}, {"quiz": 0.1987, "depth": -3.0})
    front = FrontFile(
        objectives=(Objective("quiz", "hm3_math", "likelihood"), Objective("depth", "", "depth")),
        normaliser=Normaliser(("quiz", "depth"), (0.0, -6.0), (0.2, -3.0)),
        utility="tchebycheff",
        utility_parameters={},
        preference=Preference(("quiz", "depth"), (0.75, 0.25)),
        hypervolume=None,
        hypervolume_search=1.0,
        hypervolume_ratio=None,
        evaluations=321,
        seed=7,
        sources=(Model("math", 3, scores),),
        rivals=(),
        candidates=(member,),
        chosen=recipe.digest,
        versions={},
    )
    return recipe, model_card(front, member)


def test_the_front_matter_is_what_the_hub_reads():
    import yaml

    head = yaml.safe_load(card()[1].split("---")[1])
    assert head["library_name"] == "transformers"
    assert "merge" in head["tags"]


def test_it_names_preference_budget_and_seed():
    text = card()[1]
    assert "quiz 75%, depth 25%" in text
    assert "after 321 evaluations (seed 7)" in text


def test_it_has_both_splits_the_best_source_and_all_metrics():
    lines = card()[1].splitlines()
    assert "| quiz | hm3_math | likelihood | 0.5123 | 0.4321 | 0.1987 |" in lines
    assert "| depth | - | depth | -3.0000 | -3.0000 | -3.0000 |" in lines
    assert "- hm3_math/exact_match: 0.2500" in lines


def test_it_lists_every_layer_with_its_seams_and_the_hosts():
    recipe, text = card()
    lines = text.splitlines()
    rows = [line for line in lines if line.split(" | ")[0] in ("| 0", "| 1", "| 2")]
    assert rows == ["| 0 | math | 0 |  |", "| 1 | math | 1 |  |", "| 2 | merge | 1 | yes |"]
    assert "Embedding and tokenizer: math. Final norm and head: code." in text
    assert recipe.digest[:8] in text


def test_it_names_every_source_by_content_and_how_it_was_merged():
    text = card()[1]
    for source in SOURCES.values():
        assert f"- `{source.name}`: content digest {source.digest[:16]}" in text
    assert "method dare_ties" in text
    assert "weights math 0.70, code 0.30" in text
    assert '{"density": 0.5}' in text
