"""Published models in the spelling in which they lie on the Hub: stock transformers reads each, and so do stacks."""

import json
from types import SimpleNamespace

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from hm3.checkpoints import Checkpoint, check_compatible, check_loading
from hm3.errors import CheckpointError
from hm3.evaluation.rows import Row
from hm3.layers import family_of
from hm3.recipe import Recipe
from hm3.stacks import assemble
from tests.published import LONGEST, PUBLISHED, write_published
from tests.stack_ways import bank_of, greedy_texts, log_likelihoods, recipe_of, reload, scored, token_rows
from tests.tiny import write_tokenizer

MIXED = ("a0", "a1", "b1", "b1", "a3", "b2", "a3")  # repeats, skips, mixes
LISTS = ("layer_types", "no_rope_layers")


def rows_for(name):
    """Rows up to the longest that the model can be scored on, or beyond its window."""
    longest = LONGEST.get(name, 30)
    return [*token_rows(longest=longest - 1), Row(tuple(range(4, 4 + longest)), (5, 6, 7))]


def stated(settings):
    """Generation settings that are not switched off."""
    return {key: value for key, value in settings.to_diff_dict().items() if value not in (None, False)}


@pytest.fixture(scope="module", params=PUBLISHED)
def lab(request, tmp_path_factory):
    """Source ``a`` as published, and ``b``, shallower, as today's transformers saves it again."""
    folder = tmp_path_factory.mktemp("sources")
    a = write_published(folder / "a", request.param, seed=1)
    raw = write_published(folder / "raw", request.param, depth=3, seed=2)
    AutoModelForCausalLM.from_pretrained(raw.path).save_pretrained(folder / "b")
    write_tokenizer(folder / "b")
    checkpoints = {"a": a, "b": Checkpoint.open("b", folder / "b")}
    return SimpleNamespace(name=request.param, checkpoints=checkpoints, bank=bank_of(checkpoints), folder=folder)


@pytest.fixture(scope="module", params=["a-b", "b-a"])
def ways(request, lab):
    """One stack: its recipe, the model in memory, and the exported one with its loading report."""
    recipe = recipe_of(lab.checkpoints, MIXED, *request.param.split("-"))
    exported = reload(lab.checkpoints, recipe, lab.folder / request.param)
    return SimpleNamespace(
        recipe=recipe, memory=assemble(recipe, lab.bank), exported=exported.model, report=exported.report
    )


def test_a_published_model_and_one_saved_again_today_fit_together(lab):
    a, b = lab.checkpoints.values()
    assert family_of("a", a.config) is family_of("b", b.config)
    assert check_compatible([a, b]) == check_compatible([b, a]) == []
    for source in (a, b):
        check_loading(source)


def test_an_identity_stack_is_the_published_model(lab):
    source = lab.checkpoints["a"]
    stock = AutoModelForCausalLM.from_pretrained(source.path, dtype=torch.float32).eval()
    found = scored(lab.bank, Recipe.identity(source.source, source.depth), rows_for(lab.name))
    assert found == pytest.approx(log_likelihoods(stock, rows_for(lab.name)), abs=1e-5)


def test_log_likelihoods_without_a_model_are_those_of_both_models(lab, ways):
    found = scored(lab.bank, ways.recipe, rows_for(lab.name))
    assert found == pytest.approx(log_likelihoods(ways.memory, rows_for(lab.name)), abs=1e-5)
    assert found == pytest.approx(log_likelihoods(ways.exported, rows_for(lab.name)), abs=1e-5)


def test_loading_reports_no_tensor_as_missing_or_unexpected_or_of_another_shape(ways):
    assert not [key for kind in ("missing", "unexpected", "mismatched") for key in ways.report[f"{kind}_keys"]]


def test_layers_stay_what_transformers_makes_of_them_in_their_own_model(lab, ways):
    own = {name: AutoConfig.from_pretrained(source.path) for name, source in lab.checkpoints.items()}
    for key in LISTS:
        expected = [getattr(own[layer[0]], key)[int(layer[1])] for layer in MIXED if getattr(own["a"], key, None)]
        assert (getattr(ways.exported.config, key, None) or []) == expected


@pytest.mark.parametrize("ways", ["a-b"], indirect=True)
def test_greedy_text_is_the_same_with_and_without_cache_in_memory_and_after_export(ways):
    texts = greedy_texts([ways.memory, ways.exported], 20)
    assert len(texts[0]) == 24
    assert texts == [texts[0]] * 4


@pytest.mark.parametrize("ways", ["a-b"], indirect=True)
def test_generation_settings_are_the_hosts(lab, ways):
    host = AutoModelForCausalLM.from_pretrained(lab.folder / "a").generation_config
    assert stated(ways.exported.generation_config) == stated(host)
    assert stated(ways.memory.generation_config) == stated(host)


@pytest.mark.parametrize("name", LONGEST)
def test_rows_whose_angles_depend_on_their_length_are_refused(name, tmp_path):
    source = write_published(tmp_path / "a", name)
    recipe = Recipe.identity(source.source, source.depth)
    with pytest.raises(CheckpointError, match=r"^source a: rope_parameters: \w+ angles .* 16 tokens, got rows of 17$"):
        scored(bank_of({"a": source}), recipe, [Row(tuple(range(4, 21)), (5,))])


def test_stretched_contexts_in_the_spelling_that_transformers_cannot_read_any_more_are_refused(tmp_path):
    """Phi-3's first configs call them ``su``."""
    source = write_published(tmp_path / "a", "Phi-3-mini-128k-instruct")
    config = json.loads((source.path / "config.json").read_text())
    config["rope_scaling"]["type"] = "su"
    (source.path / "config.json").write_text(json.dumps(config))
    with pytest.raises(KeyError, match="longrope"):
        AutoConfig.from_pretrained(source.path)
    with pytest.raises(CheckpointError, match=r"^source a \(.*\): config.json: what transformers' phi3 reads, got .+$"):
        check_loading(Checkpoint.open("a", source.path))


def test_a_config_with_code_of_its_own_is_refused_with_the_way_out(tmp_path):
    """As Phi's are published, though transformers has had the family for long."""
    code = {"AutoConfig": "configuration_phi3.Phi3Config", "AutoModelForCausalLM": "modeling_phi3.Phi3ForCausalLM"}
    with pytest.raises(
        CheckpointError, match=r"no code of its own, got auto_map .*in a copy .* without that entry, .*"
    ):
        write_published(tmp_path / "a", "Phi-3-mini-4k-instruct", auto_map=code)
