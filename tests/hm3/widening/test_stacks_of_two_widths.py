"""Stacks of a narrow model's layers and a wide one's: which switches are exact, and how far off the others are.

The references are stock models with hooks: states of one are carried, or read, into the middle of the other.
"""

from types import SimpleNamespace

import pytest
import torch
from transformers import AutoModelForCausalLM

from hm3.checkpoints import Checkpoint, check_compatible
from hm3.evaluation.rows import Row
from hm3.evaluation.scorer import StackScorer
from hm3.model_folder import write_model
from hm3.recipe import LayerRef, Recipe
from hm3.widening import fit, write_widened
from tests.tiny_stacks import bank_of
from tests.tiny_widths import NARROW, WIDE, model

TOKENS = torch.randint(4, 128, (3, 20), generator=torch.Generator().manual_seed(1))
ROWS = torch.randint(4, 128, (20, 30), generator=torch.Generator().manual_seed(2)).tolist()


@pytest.fixture(scope="module", params=["llama", "qwen2"])
def lab(request, tmp_path_factory):
    """A narrow model, its sibling, and a wide one; all of them fitted to the wide one's stream."""
    folder, family = tmp_path_factory.mktemp("widths"), {"family": request.param, "depth": 4}
    narrow = model(folder / "narrow", NARROW, seed=1, tied=True, **family)
    sibling = model(folder / "sibling", NARROW, seed=2, **family)
    wide = model(folder / "wide", WIDE, seed=3, **family)
    fitted = fit(narrow, wide, ROWS)
    maps = {"n": (narrow, fitted.map), "s": (sibling, fitted.map), "c": (narrow, fitted.corrected)}
    sources = {"w": Checkpoint.open("w", wide.path)}
    for name, (source, stream) in maps.items():
        sources[name] = Checkpoint.open(name, write_widened(folder / name, source, wide, stream))
    stock = {"n": narrow, "s": sibling, "w": wide}
    models = {name: AutoModelForCausalLM.from_pretrained(source.path) for name, source in stock.items()}
    return SimpleNamespace(sources=sources, fitted=fitted, models=models)


def recipe_of(lab, layers, embedding, head):
    named = {name: checkpoint.source for name, checkpoint in lab.sources.items()}
    return Recipe.build([LayerRef(layer[0], int(layer[1])) for layer in layers.split()], embedding, head, named)


@torch.no_grad()
def exported(lab, folder, layers, embedding, head):
    """Logits of the exported stack in stock transformers."""
    recipe = recipe_of(lab, layers, embedding, head)
    write_model(folder, recipe, {source.name: lab.sources[source.name] for source in recipe.sources}, "card")
    stack, report = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    return stack(TOKENS).logits


@torch.no_grad()
def states(stock, boundary):
    return stock.model(TOKENS, output_hidden_states=True).hidden_states[boundary]


@torch.no_grad()
def going_on(stock, boundary, hidden):
    """Logits of a stock model whose stream is replaced before layer `boundary`."""
    hook = stock.model.layers[boundary].register_forward_pre_hook(lambda _, given: (hidden, *given[1:]))
    try:
        return stock(TOKENS, use_cache=False).logits
    finally:
        hook.remove()


def near(logits):
    return {"expected": logits, "atol": 1e-4, "rtol": 0}


def test_sources_of_one_shape_now_fit_together(lab):
    assert check_compatible(list(lab.sources.values())) == []


def test_from_narrow_to_wide_the_exported_stack_is_the_hooked_model(lab, tmp_path):
    carried = lab.fitted.map.carry(states(lab.models["n"], 2))
    reference = going_on(lab.models["w"], 1, carried)
    stack = exported(lab, tmp_path / "stack", "n0 n1 w1 w2 w3", "n", "w")
    assert reference.std() > 0.5
    torch.testing.assert_close(stack, **near(reference))


def test_scoring_without_a_model_gives_the_exported_stacks_scores(lab, tmp_path):
    layers = "n0 n1 w1 n2 w3"
    logits = exported(lab, tmp_path / "stack", layers, "n", "w").log_softmax(-1)
    rows = [Row(tuple(row[:-1]), (row[-1],)) for row in TOKENS.tolist()]
    scored = StackScorer(bank_of(lab.sources), [rows], 0).score([recipe_of(lab, layers, "n", "w").content], 0)
    expected = [float(logits[i, -2, row.answer[0]]) for i, row in enumerate(rows)]
    assert scored.log_likelihood[0].tolist() == pytest.approx(expected, abs=1e-5)


def test_from_narrow_to_narrow_it_is_the_stack_of_the_narrow_models(lab, tmp_path):
    """Two narrow models carried by one map meet as they would have met at their own width."""
    reference = going_on(lab.models["s"], 2, states(lab.models["n"], 2))
    torch.testing.assert_close(exported(lab, tmp_path / "stack", "n0 n1 s2 s3", "n", "s"), **near(reference))


@torch.no_grad()
def test_from_wide_to_narrow_a_norm_reads_less_by_the_share_that_it_does_not_see(lab, tmp_path):
    """A narrow norm and head directly after wide layers: logits are the projected state's, times what is seen of it."""
    full = lab.models["w"].model
    last = []
    hook = full.norm.register_forward_pre_hook(lambda _, given: last.append(given[0]))
    full(TOKENS)
    hook.remove()
    read = lab.fitted.map.read(last[0])
    projected = lab.models["n"].lm_head(lab.models["n"].model.norm(read))
    share = (lab.fitted.map.scale * read).norm(dim=-1, keepdim=True) / last[0].norm(dim=-1, keepdim=True)
    assert 0.5 < float(share.min()) <= float(share.max()) < 0.95  # 32 of 48 dimensions
    stack = exported(lab, tmp_path / "stack", "w0 w1 w2 w3", "w", "n")
    torch.testing.assert_close(stack, **near(share * projected))
    corrected = exported(lab, tmp_path / "corrected", "w0 w1 w2 w3", "w", "c")
    torch.testing.assert_close(corrected, **near(share / lab.fitted.seen[-1] * projected))
    assert (corrected - projected).pow(2).mean() < 0.2 * (stack - projected).pow(2).mean()


@torch.no_grad()
def test_from_wide_to_narrow_layers_the_stack_is_only_near_the_projected_model(lab, tmp_path):
    """The statement of docs/different_widths.md: approximate, and the gains bring it nearer."""
    reference = going_on(lab.models["n"], 2, lab.fitted.map.read(states(lab.models["w"], 2)))
    errors = {
        name: float((exported(lab, tmp_path / name, f"w0 w1 {name}2 {name}3", "w", name) - reference).std())
        for name in "nc"
    }
    unrelated = float((lab.models["n"](TOKENS).logits.detach() - reference).std())
    assert 0.05 < errors["c"] < errors["n"] < unrelated


@torch.no_grad()
def test_gains_take_the_exactness_of_the_widened_model_alone(lab):
    """Which is why they are not the default."""
    alone = lab.models["n"](TOKENS).logits
    plain, corrected = (AutoModelForCausalLM.from_pretrained(lab.sources[name].path)(TOKENS).logits for name in "nc")
    torch.testing.assert_close(plain, **near(alone))
    assert (corrected - alone).std() > 0.05
