"""The closed forms, against numbers by hand and against SciPy."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import orthogonal_procrustes

from hm3.errors import ConfigurationError
from hm3.recipe.junctions import Junction, State, junctions
from hm3.seams import Calibration, Fits, NoSeams, check_rule, check_tokens, rule_of
from hm3.seams.fitting import rotation, size
from hm3.seams.rules import RULES
from hm3.seams.states import Home, HomeStates
from tests.tiny_seams import Lab, token_rows
from tests.tiny_stacks import bank_of, two_sources

LEFT = torch.tensor([[3.0, 4.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]])  # sizes 2.5 and 0.5: 1.5 in the mean
HOME = torch.tensor([[6.0, 0.0, 0.0, 8.0], [2.0, 2.0, 2.0, 2.0]])  # sizes 5 and 2: 3.5


def states(seed, tokens=50, width=8):
    return torch.randn(tokens, width, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return Lab(two_sources(tmp_path_factory.mktemp("sources")), "rotation")


def test_size_is_the_mean_over_tokens_of_their_root_mean_square():
    assert (size(LEFT), size(HOME)) == (1.5, 3.5)


def test_a_scale_brings_the_stream_to_its_size_at_home():
    transform = RULES["scale"].fit(Home.of(LEFT), Home.of(HOME))
    assert transform.scale == pytest.approx(3.5 / 1.5, rel=1e-15)
    assert transform.rotation is None
    assert RULES["scale"].head(Home.of(LEFT), Home.of(HOME)).plain  # the final norm would not see it


def test_a_rotation_is_scipys_procrustes():
    left, home = states(0), states(1)
    theirs, _ = orthogonal_procrustes(left.double().numpy(), home.double().numpy())
    ours = rotation(left, home)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)
    np.testing.assert_allclose(ours.T @ ours, np.eye(8), atol=1e-12)


@pytest.mark.parametrize("fit", ["fit", "head"])
def test_a_turned_and_scaled_stream_is_brought_back(fit):
    left = states(0)
    turn = torch.linalg.qr(states(2, 8).double())[0].float()
    transform = getattr(RULES["rotation"], fit)(Home.of(left), Home.of(2.5 * left @ turn))
    assert transform.scale == pytest.approx(2.5, rel=1e-6)
    np.testing.assert_allclose(transform.rotation, turn, atol=1e-6)


def test_states_that_are_no_numbers_give_a_stack_that_scores_nothing_and_no_error():
    broken, whole = Home.of(torch.full((50, 8), math.nan)), Home.of(states(0))
    for rule in RULES.values():
        assert math.isnan(rule.fit(broken, whole).scale)
        assert math.isnan(rule.fit(whole, broken).scale)


def test_home_states_are_those_of_stock_transformers_without_first_tokens(lab):
    from transformers import AutoModelForCausalLM

    rows = token_rows(5, 9, 120)
    stock = AutoModelForCausalLM.from_pretrained(lab.sources["a"].path, dtype=torch.float32)
    trace = []
    for layer in stock.model.layers:
        layer.register_forward_pre_hook(lambda module, inputs: trace.append(inputs[0]))
    stock.model.norm.register_forward_pre_hook(lambda module, inputs: trace.append(inputs[0]))
    with torch.no_grad():
        stock(torch.tensor(rows))
    found = Fits("scale", lab.bank, Calibration(rows))._states
    digest = lab.sources["a"].source.digest
    for layer, theirs in enumerate(trace):
        np.testing.assert_allclose(found[State(digest, layer)].hidden(), theirs[:, 1:].flatten(0, 1), atol=1e-5)
    assert Calibration(rows).tokens == 5 * 8


def test_a_transform_depends_on_its_two_states_alone(lab):
    first, second = lab.recipe("a0 b2 a3", "a", "a"), lab.recipe("b0 a0 b2 b3 b3", "b", "a")
    digests = {name: source.source.digest for name, source in lab.sources.items()}
    seam = Junction(State(digests["a"], 1), State(digests["b"], 2))
    fresh = Fits("rotation", bank_of(lab.sources), Calibration(token_rows(12, 30, 120)))
    one, other = lab.fits.of([first.content])[seam], fresh.of([second.content])[seam]
    assert one.scale == other.scale
    assert np.array_equal(one.rotation, other.rotation)


def test_what_is_given_up_under_a_budget_is_fitted_again_to_the_same_bits(lab):
    recipe = lab.recipe()
    small = Fits("rotation", lab.bank, Calibration(token_rows(12, 30, 120)), budget=1)
    for _ in range(2):
        again, kept = small.of([recipe.content]), lab.fits.of([recipe.content])
        assert all(np.array_equal(again[seam].rotation, kept[seam].rotation) for seam in kept)
    assert len(small._kept) == 1


def test_hidden_states_beyond_their_budget_are_computed_again_but_their_sizes_are_kept(lab, monkeypatch):
    found, runs = HomeStates(lab.bank, Calibration(token_rows(5, 9, 120)), budget=1), []
    run = HomeStates._run
    monkeypatch.setattr(HomeStates, "_run", lambda self, source: runs.append(source) or run(self, source))
    monkeypatch.setattr("hm3.seams.states.PAIR", 1)
    first, second = (State(source.source.digest, 2) for source in lab.sources.values())
    known = found[first].hidden()
    assert [found[state].size for state in (second, first, second)] == [
        size(found[s].hidden()) for s in (second, first, second)
    ]
    assert torch.equal(found[first].hidden(), known)
    before = len(runs)
    assert (found[first].size, found[second].size) == (size(known), found[second].size)
    assert len(runs) == before > 2


def test_neighbours_of_one_source_have_no_seam(lab):
    whole = lab.recipe("a0 a1 a2 a3", "a", "a").content
    assert not any(each.is_seam for each in junctions(whole, 4))
    assert lab.fits.of([whole]) == {}
    shorter = lab.recipe("a0 a1 a2", "a", "a").content  # its head is at home behind the fourth layer
    assert [each.is_seam for each in junctions(shorter, 4)] == [False, False, False, True]
    mixed = lab.recipe("a0 a0 b1 b2 b3", "b", "b").content
    assert [each.is_seam for each in junctions(mixed, 4)] == [True, True, True, False, False, False]


@pytest.mark.parametrize("change", ["rows", "rule", "dtype"])
def test_the_name_of_a_fit_tells_apart_what_decides_it(lab, change):
    rows = token_rows(12, 30, 120)
    name = Fits("rotation", lab.bank, Calibration(rows)).name
    assert name == lab.fits.name
    bank = bank_of(lab.sources)
    bank.dtype = torch.bfloat16 if change == "dtype" else bank.dtype
    other = Fits("scale" if change == "rule" else "rotation", bank, Calibration(rows[change == "rows" :]))
    assert other.name.partition(":")[2] != name.partition(":")[2]


def test_stacks_of_another_fit_are_refused(lab):
    other = lab.recipe(seam="scale:ab").content
    with pytest.raises(ConfigurationError, match=r"^recipe\.seam: as in this run, rotation:\w+ or none, got scale:ab$"):
        lab.fits.of([other])
    with pytest.raises(ConfigurationError, match=r"^recipe\.seam: as in this run, none, got scale:ab$"):
        NoSeams().of([other])


def test_unknown_rules_are_refused():
    with pytest.raises(ConfigurationError, match=r"^env\.seam: one of none, scale, rotation, got 'glue'$"):
        check_rule("glue")
    with pytest.raises(
        ConfigurationError, match=r"^recipe\.seam: none, or one of scale, rotation with its fit, got 'x"
    ):
        rule_of("x:1")


def test_a_rotation_needs_as_many_tokens_as_the_stream_is_wide():
    rows = Calibration(token_rows(4, 9, 120))
    check_tokens("rotation", rows, 32)
    check_tokens("scale", rows, 33)
    with pytest.raises(
        ConfigurationError,
        match=r"^env\.seam=rotation: search items of at least 33 tokens to fit it on, .* width 33, got 32$",
    ):
        check_tokens("rotation", rows, 33)
    with pytest.raises(
        ConfigurationError, match=r"^env\.seam=scale: search items of at least 1 tokens to fit it on, .*, got 0$"
    ):
        check_tokens("scale", Calibration(()), 33)
