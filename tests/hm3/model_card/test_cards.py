"""The card says what the model is made of, what it scores, and how it was found; stock readers understand it."""

import math

import pytest
import torch
from huggingface_hub import ModelCard

from hm3.model_card import model_card, stack_card
from hm3.model_card.markdown import plain
from hm3.objectives import Normaliser, Objective, Preference
from hm3.recipe import LayerRef, MergeBlock, MergeSpec, Recipe, Source
from hm3.runs import FrontFile, Member, Model, SplitScores

COMMIT = "0123456789abcdef0123456789abcdef01234567"
MATH, CODE = Source("math", "1" * 64, origin=f"org/math-1.5B@{COMMIT}"), Source("code", "2" * 64, origin="/models/code")
BLOCKS = (MergeBlock(1, (0.1, 0.9), (("density", 0.2),)),)
MERGED = Source.merged("merge", MergeSpec("dare_ties", CODE, (MATH, CODE), (0.7, 0.3), (("density", 0.5),), BLOCKS))
SOURCES = {source.name: source for source in (MATH, CODE, MERGED)}
PATH = [LayerRef("math", 0), LayerRef("math", 1), LayerRef("merge", 1)]
RECIPE = Recipe.build(PATH, "math", "code", SOURCES)


def result(*, recipe=RECIPE, objectives=None, test=0.4321, **changes):
    """A front with one member, and that member."""
    member = Member(
        recipe,
        SplitScores({"quiz": 0.5123, "depth": -3.0}, {"quiz": test, "depth": -3.0}),
        {"hm3_math/exact_match": 0.25},
    )
    scores = SplitScores({"quiz": 0.2, "depth": -3.0}, {"quiz": 0.1987, "depth": -3.0})
    values = {
        "objectives": objectives or (Objective("quiz", "hm3_math", "likelihood"), Objective("depth", "", "depth")),
        "normaliser": Normaliser(("quiz", "depth"), (0.0, -6.0), (0.2, -3.0)),
        "utility": "tchebycheff",
        "utility_parameters": {"reference": 1.5},
        "preference": Preference(("quiz", "depth"), (0.75, 0.25)),
        "hypervolume": None,
        "hypervolume_search": 1.0,
        "hypervolume_ratio": None,
        "evaluations": 321,
        "seed": 7,
        "sources": (Model("math", 3, scores),),
        "rivals": (),
        "candidates": (member,),
        "chosen": recipe.digest,
        "versions": {"hm3": "0.0.9"},
    }
    return FrontFile(**values | changes), member


def card(**settings):
    return model_card(*result(), **settings)


def read(text):
    """The card as the Hub's own reader understands it."""
    return ModelCard(text).data


def test_the_front_matter_is_what_the_hub_reads():
    data = read(card())
    assert (data.library_name, data.pipeline_tag, data.tags) == ("transformers", "text-generation", ["merge", "hm3"])
    assert data.base_model == ["org/math-1.5B"]
    assert data.base_model_relation == "merge"


def test_results_are_the_test_scores_of_tasks():
    (found,) = read(card()).eval_results
    assert (found.task_type, found.dataset_type, found.dataset_name) == ("text-generation", "hm3_math", "hm3_math")
    assert (found.dataset_split, found.metric_type, found.metric_value) == ("test", "likelihood", 0.4321)


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_no_result(score):
    assert read(model_card(*result(test=score))).eval_results is None


def test_the_hub_accepts_the_card(hub):
    ModelCard(card()).validate()
    ModelCard(stack_card(RECIPE)).validate()
    with pytest.raises(ValueError, match="license_name"):
        ModelCard("---\nlicense: other\n---\n").validate()


def test_it_names_preference_utility_budget_seed_and_versions():
    text = card(dtype=torch.bfloat16)
    assert "Preference of the run: quiz 75%, depth 25%." in text
    assert "Utility: tchebycheff (reference 1.5)." in text
    assert "after 321 evaluations (seed 7)" in text
    assert "Searched with hm3 0.0.9." in text
    assert "weights in bfloat16." in text


def test_a_choice_for_another_preference_is_told():
    text = card(preference=Preference(("quiz", "depth"), (1.0, 0.0)))
    assert "Chosen from the front for the preference quiz 100%, depth 0%." in text
    assert "Chosen" not in card(preference=Preference(("quiz", "depth"), (0.75, 0.25)))


def test_it_has_both_splits_the_best_source_and_all_metrics():
    lines = card().splitlines()
    assert "| quiz | hm3_math | likelihood | 0.5123 | 0.4321 | 0.1987 |" in lines
    assert "| depth | - | depth | -3.0000 | -3.0000 | -3.0000 |" in lines
    assert "- hm3_math/exact_match: 0.2500" in lines


@pytest.mark.parametrize("text", [card(), stack_card(RECIPE)])
def test_it_lists_every_layer_with_its_seams_the_rule_and_the_hosts(text):
    lines = text.splitlines()
    rows = [line for line in lines if line.split(" | ")[0] in ("| 0", "| 1", "| 2")]
    assert rows == ["| 0 | math | 0 |  |", "| 1 | math | 1 |  |", "| 2 | merge | 1 | yes |"]
    assert "Embedding and tokenizer: math. Final norm and head: code." in lines
    assert "Rule at seams: none." in lines
    assert RECIPE.digest[:8] in text


@pytest.mark.parametrize("text", [card(), stack_card(RECIPE)])
def test_it_names_every_source_by_content_and_place_and_how_it_was_merged(text):
    lines = text.splitlines()
    assert f"- math: org/math-1.5B@{COMMIT}, content digest {'1' * 16}" in lines
    assert f"- merge: content digest {MERGED.digest[:16]}" in lines
    assert '  - merged to code: dare_ties, weights math 0.70, code 0.30, settings {"density": 0.5}' in lines
    assert '  - from layer 1 on: weights math 0.10, code 0.90, settings {"density": 0.2}' in lines


def test_no_folder_of_this_machine_is_named():
    assert f"- code: content digest {'2' * 16}" in card().splitlines()
    assert "/models" not in card()


def test_the_picture_is_shown_where_it_lies_beside():
    assert "](front.png)" in card(picture=True)
    assert "front.png" not in card()
    assert "front.png" not in stack_card(RECIPE)


def test_it_says_how_to_load_it_and_how_to_build_it_again():
    text = card(place="org/stack")
    assert 'model = AutoModelForCausalLM.from_pretrained("org/stack")' in text
    assert "python -m hm3.export recipe=recipe.json" in text


def test_a_stack_without_a_run_claims_no_scores():
    text = stack_card(RECIPE)
    assert read(text).eval_results is None
    for word in ("Scores", "Preference", "evaluations", "found"):
        assert word not in text


HOSTILE = [
    "a\n---\nlicense: mit",
    "a: [b, {c: d}] # e",
    "x | y |\n|---|",
    "[free](https://evil.example) ![x](y)",
    "<script>alert(1)</script> <!-- ",
    "`code` ``` *bold* ~~gone~~ $x$",
    "!!python/object/apply:os.system ['true']",
    "\u202etxt.exe\x00\x1b[31m",
    "'\"\\",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_names(name):
    source = Source(name, "3" * 64)
    recipe = Recipe.build([LayerRef(name, 0)], name, name, {name: source})
    front, member = result(
        recipe=recipe,
        objectives=(Objective("quiz", name, name), Objective("depth", "", "depth")),
        sources=(Model(name, 1, SplitScores({"quiz": 0.2, "depth": -3.0}, {"quiz": 0.1, "depth": -3.0})),),
        versions={name: name},
        utility=name,
    )
    text = model_card(front, member, place=name)
    data = read(text)
    assert (data.eval_results[0].dataset_type, data.license, data.base_model) == (name, None, None)
    tables = [line for line in text.splitlines() if line.startswith("| ")]
    assert {line.replace("\\|", "").count("|") for line in tables} == {7, 5}  # six columns, and four
    assert _tags(text) <= {
        "h1",
        "h2",
        "p",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "ul",
        "li",
        "pre",
        "code",
        "br",
    }


def test_addresses_become_no_links():
    assert plain("https://evil.example www.evil.example") == r"https\://evil.example www\.evil.example"


def _tags(text):
    """The kinds of HTML that a stock renderer makes of the card's body."""
    from markdown_it import MarkdownIt

    body = text.split("\n---\n", 1)[1]
    tokens = MarkdownIt("commonmark").enable("table").parse(body)
    every = [each for token in tokens for each in (token, *(token.children or ()))]
    assert not [token for token in every if token.type in ("html_block", "html_inline", "image", "link_open")]
    return {token.tag for token in every if token.tag}
