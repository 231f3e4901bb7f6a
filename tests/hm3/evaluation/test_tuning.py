"""Sources that follow a preference: scored without being merged, as the models that they stand for."""

import pickle
from multiprocessing.reduction import ForkingPickler
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from hm3.errors import CheckpointError
from hm3.evaluation import ConditionedSources, LocalScorer, ProcessScorer
from hm3.evaluation.scorer import StackScorer
from hm3.evaluation.tuner import Tuner
from hm3.layers import LayerBank
from hm3.parameter.pareto import ParetoTensor, Term
from hm3.recipe import LayerRef, Recipe
from hm3.stacks import assemble
from tests.stack_ways import log_likelihoods, token_rows
from tests.tiny_families import SAMPLES, write_source
from tests.tiny_stacks import MB
from tests.tiny_tensors import exact_tensor, random_tensor, written

CPU, ROWS = torch.device("cpu"), token_rows()
FAMILIES = ("Llama", "Llama, tied", "Qwen2", "Phi-3", "Gemma-2", "GPT-2", "Mixtral, sliding window")
X, Y = (0.7, 0.3), (-0.5, 1.2)  # weights of the experts
MIXED = ("x0", "y1", "b1", "e0", "y0", "x2", "y2")


def make(folder, name):
    """Base ``b``, expert ``e``, and two merged models of one tensor, ``x`` and ``y``, with what they stand for."""
    sample = next(sample for sample in SAMPLES if sample.name == name)
    base, expert = (write_source(folder / name, sample, depth=3, seed=seed) for seed, name in enumerate("be"))
    tensor = random_tensor(base, [base.source, expert.source])
    sources = {"b": base.source, "e": expert.source, "x": tensor.source("x", X), "y": tensor.source("y", Y)}
    whole = {key: written(folder / key, base, tensor, weights) for key, weights in (("x", X), ("y", Y))}
    given = {base.source.digest: base, expert.source.digest: expert}
    lab = SimpleNamespace(base=base, expert=expert, tensor=tensor, sources=sources, given=given)
    lab.written = {"b": base, "e": expert, **whole}
    return lab


@pytest.fixture(scope="module", params=FAMILIES)
def lab(request, tmp_path_factory):
    return make(tmp_path_factory.mktemp("family"), request.param)


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return make(tmp_path_factory.mktemp("llama"), "Llama")


def bank_of(lab, **options):
    """All four sources, the merged ones without a merge."""
    bank = LayerBank(CPU, torch.float32, **options)
    for digest, checkpoint in lab.given.items():
        bank.add(digest, checkpoint)
    tuner = Tuner(bank)
    tuner.load(lab.tensor.digest, lab.tensor, lab.base)
    for name in "xy":
        tuner.tune(lab.sources[name].digest, lab.sources[name])
    return bank


def bank_of_written(lab):
    bank = LayerBank(CPU, torch.float32)
    for name, checkpoint in lab.written.items():
        bank.add(lab.sources[name].digest, checkpoint)
    return bank


def stack(lab, layers=MIXED, host="x", head="y"):
    return Recipe.build([LayerRef(each[0], int(each[1])) for each in layers], host, head, lab.sources)


def scored(bank, *recipes, exits=()):
    early = [recipe.content for recipe in exits]
    return StackScorer(bank, [ROWS], MB).score([recipe.content for recipe in recipes], 0, early).log_likelihood


def test_stacks_with_conditioned_layers_score_like_those_of_the_written_models(lab):
    recipes = [stack(lab), stack(lab, ("x0", "x1", "x2"), "x", "x"), stack(lab, ("y0", "x1", "e2"), "e", "b")]
    ours, theirs = (scored(bank, *recipes, exits=recipes[:1]) for bank in (bank_of(lab), bank_of_written(lab)))
    np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=0)
    plain = scored(bank_of(lab), stack(lab, ("b0", "b1", "b2"), "b", "b"))[0]
    assert (ours[1] - plain).abs().max() > 0.1  # so that the terms matter


def test_transformers_gives_the_written_model_s_scores_for_the_assembled_one(lab):
    recipe = stack(lab)
    model = assemble(recipe, bank_of(lab))
    np.testing.assert_allclose(log_likelihoods(model, ROWS), scored(bank_of_written(lab), recipe)[0], atol=1e-4, rtol=0)
    theirs = assemble(recipe, bank_of_written(lab)).state_dict()
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, theirs[name], atol=1e-6, rtol=0)


def test_at_a_corner_a_tensor_of_the_experts_differences_is_that_expert(llama, tmp_path):
    """Experts that differ from the base in nothing but matrices of layers."""
    experts = [written(tmp_path / name, llama.base, llama.tensor, w) for name, w in (("p", X), ("q", Y))]
    tensor = exact_tensor(llama.base, experts)
    bank = bank_of(llama)
    tuner = Tuner(bank)
    tuner.load(tensor.digest, tensor, llama.base)
    for expert, corner in zip(experts, ((1.0, 0.0), (0.0, 1.0)), strict=True):
        bank.add(expert.source.digest, expert)
        source = tensor.source("corner", corner)
        tuner.tune(source.digest, source)
        ours, own = scored(bank, Recipe.identity(source, 3), Recipe.identity(expert.source, 3))
        np.testing.assert_allclose(ours, own, atol=1e-5, rtol=0)


def test_preferences_share_what_is_before_their_layers_and_nothing_behind(llama):
    """The same bits alone, together, in either order, and out of the cache; hosts of one base share its layers."""
    recipes = [stack(llama, ("b0", layer, "b1", "b2"), host, host) for host in "xyb" for layer in ("x1", "y1", "b1")]
    alone = torch.stack([scored(bank_of(llama), recipe)[0] for recipe in recipes])
    assert len({tuple(row.tolist()) for row in alone}) == 3  # by the layer, whoever of one base is the host
    scorer = StackScorer(bank_of(llama), [ROWS], 64 * MB)
    for order in (range(9), range(8, -1, -1), range(9)):
        together = scorer.score([recipes[i].content for i in order], 0).log_likelihood
        assert torch.equal(together, alone[list(order)])
    assert scorer.cache.counts.hits > scorer.cache.counts.lookups / 2


def test_workers_agree_with_this_process_and_hear_of_the_tensor_once(llama):
    recipes = [stack(llama), stack(llama, ("b0", "y1", "b2"), "b", "b")]
    apart = ProcessScorer([ROWS], workers=2, dtype=torch.float32, cache_bytes=MB)
    try:
        for digest, checkpoint in llama.given.items():
            apart.add(digest, checkpoint)
        bank = LayerBank(CPU, torch.float32)
        sources = ConditionedSources(apart, bank)
        sources.load(llama.tensor, llama.base)
        for _ in range(2):
            with sources.known(recipes):
                there = apart.score([recipe.content for recipe in recipes], 0).log_likelihood
            np.testing.assert_allclose(there, scored(bank_of(llama), *recipes), atol=1e-6, rtol=0)
        worker = apart._workers[0]
        assert sorted(worker._known) == sorted([*llama.given, llama.tensor.digest])

        with sources.known(recipes):
            worker.process.kill()  # as a kernel without memory does: the next one hears all of it again
            again = apart.score([recipe.content for recipe in recipes], 0).log_likelihood
        assert torch.equal(again, there)
        with pytest.raises(CheckpointError, match="must be one of the loaded sources"):
            apart.score([recipes[0].content], 0)
    finally:
        apart.close()


def test_a_source_s_message_is_small_and_a_tensor_s_has_no_open_files(llama):
    assert len(pickle.dumps(llama.sources["x"])) < 2000
    message = bytes(ForkingPickler.dumps(llama.tensor))
    assert b"storage" not in message  # torch's way: a file for each tensor
    again = pickle.loads(message)
    assert again.digest == ParetoTensor(again.terms, again.base, again.experts).digest == llama.tensor.digest


@pytest.fixture
def local(llama):
    """A scorer, its bank, and what makes conditioned sources known to both."""
    bank = LayerBank(CPU, torch.float32)
    scorer = LocalScorer([ROWS[:2]], bank, cache_bytes=0)
    for digest, checkpoint in llama.given.items():
        scorer.add(digest, checkpoint)
    sources = ConditionedSources(scorer, bank)
    sources.load(llama.tensor, llama.base)
    return SimpleNamespace(bank=bank, scorer=scorer, sources=sources)


def test_five_hundred_preferences_leave_the_bank_as_it_was(llama, local):
    identity = [llama.tensor.source("t", (i / 500, 1 - i / 500)) for i in range(500)]
    recipes = [Recipe.identity(source, 3) for source in identity]
    with local.sources.known(recipes[:1]):
        local.scorer.score([recipes[0].content], 0)
    before = local.bank.bytes, len(local.bank._resident), len(local.bank._sources), len(local.scorer._scorer._forwards)
    for start in range(0, 500, 50):
        with local.sources.known(recipes[start : start + 50]):
            local.scorer.score([recipe.content for recipe in recipes[start : start + 50]], 0)
            assert local.bank.bytes == before[0]  # one base, one set of factors
            assert len(local.scorer._scorer._forwards) == 1  # of the base, whoever is the host
    after = local.bank.bytes, len(local.bank._resident), len(local.bank._sources), len(local.scorer._scorer._forwards)
    assert after == before
    assert local.bank._conditions == {}


def test_a_bank_without_room_for_the_base_still_gives_the_layers(llama):
    recipe = stack(llama)
    small = bank_of(llama, budget=1)
    assert torch.equal(scored(small, recipe), scored(bank_of(llama), recipe))
    assert len(small._resident) == 1


def test_conditioned_layers_are_the_base_s_own_tensors_and_one_set_of_factors(llama):
    bank, digests = bank_of(llama), {name: source.digest for name, source in llama.sources.items()}
    base = bank.layer(digests["b"], 1)
    before = bank.bytes
    one, other = bank.layer(digests["x"], 1), bank.layer(digests["y"], 1)
    assert one.qkv is other.qkv is base.qkv
    assert one.down is base.down
    assert one.terms.out.right is other.terms.out.right
    assert not torch.equal(one.terms.out.left, other.terms.out.left)
    assert bank.bytes - before == bank._resident.size((llama.tensor.digest, 1))
    assert len(bank._resident) == 2


def test_families_that_run_as_transformers_has_them_hold_nothing_for_a_preference(tmp_path):
    lab = make(tmp_path, "GPT-2")
    bank = bank_of(lab)
    scored(bank, stack(lab, ("x0", "y1", "x2"), "x", "y"))
    assert {part[0] for part in bank._resident} == {lab.base.source.digest}


def test_a_base_that_is_forgotten_is_known_again_with_the_next_preference(llama, local):
    recipe = Recipe.identity(llama.sources["x"], 3)
    with local.sources.known([recipe]):
        first = local.scorer.score([recipe.content], 0).log_likelihood
    local.scorer.drop(llama.base.source.digest)
    with local.sources.known([recipe]):
        assert torch.equal(local.scorer.score([recipe.content], 0).log_likelihood, first)


def test_a_source_whose_merge_was_built_stays_what_it_is(llama, local):
    source, recipe = llama.sources["x"], Recipe.identity(llama.sources["x"], 3)
    local.scorer.add(source.digest, llama.written["x"])
    assert not local.sources.tunes(recipe)
    with local.sources.known([recipe]):
        assert local.bank.checkpoint(source.digest) is llama.written["x"]
    assert source.digest in local.bank


def test_a_tensor_that_nobody_loaded_is_named(llama, local):
    other = random_tensor(llama.base, llama.tensor.experts, seed=9)
    rule = f"source t: a pareto_merging tensor that is loaded, got digest {other.digest[:12]}$"
    with pytest.raises(CheckpointError, match=rule), local.sources.known([Recipe.identity(other.source("t", X), 3)]):
        pytest.fail("known")


def test_a_base_or_a_term_that_does_not_fit_is_refused(llama, local):
    terms = dict(llama.tensor.terms)
    name = next(iter(terms))
    odd = {
        "the base that the tensor was trained for, .*, got e, ": (terms, llama.expert),
        "terms for weights of b's layers, got one for lm_head.weight": (
            {"lm_head.weight": terms[name]},
            llama.base,
        ),
        "terms for weights of b's layers, got one for model.layers.7.x": (
            {"model.layers.7.x": terms[name]},
            llama.base,
        ),
        rf"of {name}, \[.*\], got \[\[3, 1\], \[1, 1, 2\], \[5, 1\]\]": (
            {name: Term(torch.ones(3, 1), torch.ones(1, 1, 2), torch.ones(5, 1))},
            llama.base,
        ),
        r"factors \(c, r\), \(r, r, 2\) and": (
            {name: Term(terms[name].left, torch.ones(2, 2, 3), terms[name].right)},
            llama.base,
        ),
    }
    for rule, (given, base) in odd.items():
        with pytest.raises(CheckpointError, match=rule):
            local.sources.load(ParetoTensor(given, llama.base.source, llama.tensor.experts), base)


def test_in_bfloat16_conditioned_layers_are_the_same_but_for_rounding(llama):
    half = LayerBank(CPU, torch.bfloat16)
    half.add(llama.base.source.digest, llama.base)
    tuner, source = Tuner(half), llama.sources["x"]
    tuner.load(llama.tensor.digest, llama.tensor, llama.base)
    tuner.tune(source.digest, source)
    whole = scored(bank_of(llama), Recipe.identity(source, 3))[0]
    rough = scored(half, Recipe.identity(source, 3))[0]
    torch.testing.assert_close(rough, whole, atol=0.2, rtol=0.05)
    assert not torch.equal(rough, whole)
