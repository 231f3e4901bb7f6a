"""Every family, with sources that differ in depth and in every scalar: the host's holds in scoring and export alike."""

import json
from types import SimpleNamespace

import pytest
import torch

from hm3.checkpoints import Checkpoint
from hm3.evaluation.scorer import StackScorer
from hm3.layers import FAMILIES
from hm3.recipe import Recipe
from hm3.stacks import assemble
from tests.stack_ways import bank_of, greedy_texts, log_likelihoods, recipe_of, reload, scored, token_rows
from tests.tiny_families import SAMPLES, write_source

MIXED = ("a0", "a1", "b1", "b1", "a3", "b2", "a3")  # repeats, skips, mixes
HOSTS = [("a", "b"), ("b", "a")]
OTHER = {
    "rope_theta": 500.0,
    "rms_norm_eps": 1e-3,
    "layer_norm_eps": 1e-3,
    "layer_norm_epsilon": 1e-3,
    "sliding_window": 5,
    "query_pre_attn_scalar": 20,
    "attn_logit_softcapping": 1.5,
    "final_logit_softcapping": 2.5,
}


def otherwise(value, key=""):
    """The config with other scalars, wherever it has one."""
    if isinstance(value, dict):
        return {name: otherwise(each, name) for name, each in value.items()}
    return OTHER[key] if key in OTHER and value is not None else value


@pytest.fixture(scope="module", params=SAMPLES, ids=lambda sample: sample.name)
def lab(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    a = write_source(folder / "a", request.param, depth=4, seed=1)
    file = write_source(folder / "b", request.param, depth=3, seed=2).path / "config.json"
    file.write_text(json.dumps(otherwise(json.loads(file.read_text()))))
    checkpoints = {"a": a, "b": Checkpoint.open("b", folder / "b")}
    return SimpleNamespace(checkpoints=checkpoints, bank=bank_of(checkpoints), folder=folder)


@pytest.fixture(scope="module", params=HOSTS, ids="-".join)
def ways(request, lab):
    """One stack: its recipe, the model in memory, and the exported one with its loading report."""
    recipe = recipe_of(lab.checkpoints, MIXED, *request.param)
    exported = reload(lab.checkpoints, recipe, lab.folder / "-".join(request.param))
    return SimpleNamespace(
        recipe=recipe, memory=assemble(recipe, lab.bank), exported=exported.model, report=exported.report
    )


def test_the_sources_differ_in_a_scalar(lab):
    a, b = (checkpoint.config for checkpoint in lab.checkpoints.values())
    assert any(a.get(key) != b.get(key) for key in OTHER)


def test_log_likelihoods_without_a_model_are_those_of_both_models(lab, ways):
    rows = token_rows()
    found = scored(lab.bank, ways.recipe, rows)
    assert found == pytest.approx(log_likelihoods(ways.memory, rows), abs=1e-5)
    assert found == pytest.approx(log_likelihoods(ways.exported, rows), abs=1e-5)


@torch.no_grad()
def test_logits_without_a_model_are_those_of_both_models(lab, ways):
    tokens = torch.randint(4, 128, (2, 30), generator=torch.Generator().manual_seed(0))
    stack = ways.recipe.content
    forward = lab.bank.forward(stack.embedding, 30)
    hidden = forward.begin(lab.bank.embedding(stack.embedding), tokens)
    for layer in stack.path:
        hidden = forward.layer(lab.bank.layer(*layer), hidden)
    logits = forward.logits(lab.bank.ending(stack.head), hidden.flatten(0, 1)).view(2, 30, -1)
    torch.testing.assert_close(logits, ways.memory(tokens).logits, atol=1e-5, rtol=0)
    torch.testing.assert_close(logits, ways.exported(tokens).logits, atol=1e-5, rtol=0)


@pytest.mark.parametrize("ways", HOSTS[1:], indirect=True, ids="-".join)
def test_greedy_text_is_the_same_with_and_without_cache_in_memory_and_after_export(ways):
    texts = greedy_texts([ways.memory, ways.exported])
    assert len(texts[0]) == 36
    assert texts == [texts[0]] * 4


def test_loading_reports_no_tensor_as_missing_or_unexpected_or_of_another_shape(ways):
    assert not [key for kind in ("missing", "unexpected", "mismatched") for key in ways.report[f"{kind}_keys"]]


def test_an_identity_stack_is_the_source_itself(lab):
    from transformers import AutoModelForCausalLM

    source, rows = lab.checkpoints["b"], token_rows()
    stock = AutoModelForCausalLM.from_pretrained(source.path, dtype=torch.float32).eval()
    found = scored(lab.bank, Recipe.identity(source.source, source.depth), rows)
    assert found == pytest.approx(log_likelihoods(stock, rows), abs=1e-5)


def test_scores_and_exits_are_the_same_bits_in_any_company(lab):
    rows, sources = token_rows(), lab.checkpoints
    stacks = [recipe_of(sources, MIXED[:n], host, "a").content for n in (2, 5, 7) for host in "ab"]
    exits = [stack._replace(path=stack.path[:2]) for stack in stacks[2:]]
    alone = [StackScorer(lab.bank, [rows], 0).score([stack], 0).log_likelihood[0] for stack in stacks]
    scorer = StackScorer(lab.bank, [rows], 1 << 20)
    for _ in range(3):  # the cache fills
        together = scorer.score(stacks, 0, exits).log_likelihood
        assert torch.equal(together[:6], torch.stack(alone))
        torch.testing.assert_close(together[6:8], torch.stack(alone[:2]), atol=1e-5, rtol=0)
    assert scorer.cache.counts.hits > 0


def test_every_row_of_the_table_has_a_sample():
    assert {sample.model_type for sample in SAMPLES} == set(FAMILIES)
