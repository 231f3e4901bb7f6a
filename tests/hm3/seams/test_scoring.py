"""Seams between the layers: the same bits in whatever company, and what the exported model scores."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM

from hm3.evaluation import LocalScorer, ProcessScorer
from hm3.evaluation.scorer import StackScorer
from hm3.recipe.junctions import junctions
from tests.stack_ways import log_likelihoods, open_source
from tests.tiny_seams import Lab
from tests.tiny_stacks import FEW, MB, ROWS, bank_of, some_stacks, two_sources


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return two_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="module", params=["scale", "rotation"])
def lab(request, sources):
    return Lab(sources, request.param)


def seamed(lab, count=12):
    """Stacks with seams, each beside the same one without."""
    stacks = some_stacks(lab.sources, count)
    return [each for stack in stacks for each in (stack._replace(seam=lab.fits.name), stack)]


@pytest.mark.parametrize("cache", [0, 200_000, 64 * MB])
def test_scores_are_the_same_bits_in_any_company_order_and_cache(lab, cache):
    stacks = seamed(lab)
    exits = [each._replace(path=each.path[:2]) for each in stacks[:6]]
    seams = lab.fits.of([*stacks, *exits])
    alone = torch.cat(
        [
            *(
                StackScorer(lab.bank, [ROWS], 0).score([each], 0, (), lab.fits.of([each])).log_likelihood
                for each in stacks
            ),
            *(StackScorer(lab.bank, [ROWS], 0).score([], 0, [each], seams).log_likelihood for each in exits),
        ]
    )
    scorer = StackScorer(lab.bank, [ROWS], cache)
    order = random.Random(1).sample(range(len(stacks)), len(stacks))
    for chosen in (list(range(len(stacks))), order, order):
        found = scorer.score([stacks[i] for i in chosen], 0, exits, seams).log_likelihood
        assert torch.equal(found, alone[[*chosen, *range(len(stacks), len(alone))]])


def test_without_a_rule_nothing_changes(lab):
    stacks = some_stacks(lab.sources)
    plain = StackScorer(lab.bank, [ROWS], 0).score(stacks, 0).log_likelihood
    seams = lab.fits.of([each._replace(seam=lab.fits.name) for each in stacks])
    assert torch.equal(plain, StackScorer(lab.bank, [ROWS], 0).score(stacks, 0, (), seams).log_likelihood)
    whole = lab.recipe("a0 a1 a2 a3", "a", "a")
    both = [whole.content, replace(whole, seam="none").content]
    found = StackScorer(lab.bank, [ROWS], 0).score(both, 0).log_likelihood
    assert torch.equal(found[0], found[1])


def test_processes_are_given_the_fitted_values(sources):
    lab = Lab(sources, "rotation")
    stacks = seamed(lab)
    seams = lab.fits.of(stacks)
    local = LocalScorer([ROWS], bank_of(sources), cache_bytes=MB).score(stacks, 0, stacks[:4], seams)
    apart = ProcessScorer([ROWS], workers=1, dtype=torch.float32, cache_bytes=MB)
    try:
        for checkpoint in sources.values():
            apart.add(checkpoint.source.digest, checkpoint)
        found = [apart.score(stacks, 0, stacks[:4], seams).log_likelihood for _ in range(2)]
    finally:
        apart.close()
    assert torch.equal(*found)
    np.testing.assert_allclose(found[0], local.log_likelihood, atol=1e-6, rtol=0)


def test_scores_are_those_of_the_exported_model(tmp_path):
    sources = {name: open_source(tmp_path, name, 4, seed, dtype=torch.float32) for seed, name in enumerate("ab")}
    for rule in ("scale", "rotation"):
        lab = Lab(sources, rule)
        recipe = lab.recipe()
        model = AutoModelForCausalLM.from_pretrained(lab.write(tmp_path / rule, recipe), dtype=torch.float32)
        found = StackScorer(lab.bank, [ROWS], 0).score([recipe.content], 0, (), lab.fits.of([recipe.content]))
        assert found.log_likelihood[0].tolist() == pytest.approx(log_likelihoods(model, ROWS), abs=1e-4)


def test_an_early_exit_is_read_through_the_seam_before_the_head(lab):
    cut = lab.recipe("a0 a1 a2", "a", "a").content
    assert [each.is_seam for each in junctions(cut, 4)] == [False, False, False, True]
    seams = lab.fits.of([cut])
    scorer = StackScorer(lab.bank, [ROWS], 0)
    (early,) = scorer.score([], 0, [cut], seams).log_likelihood
    (whole,) = scorer.score([cut], 0, (), seams).log_likelihood
    (plain,) = scorer.score([cut._replace(seam="none")], 0).log_likelihood
    np.testing.assert_allclose(early, whole, atol=1e-5)
    if lab.rule == "rotation":
        assert (early - plain).abs().max() > 0.01
    else:  # the final norm doesn't see a scale
        assert torch.equal(whole, plain)


def test_a_seam_without_a_value_is_an_error_and_no_plain_stack(lab):
    with pytest.raises(KeyError):
        StackScorer(lab.bank, [FEW], 0).score([lab.recipe().content], 0)
