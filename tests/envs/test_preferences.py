import numpy as np
import pytest

from envs import Around, Dirichlet, Holdout
from hm3.errors import ConfigurationError

CENTRE = (0.7, 0.2, 0.1)
SAMPLERS = {
    "dirichlet": Dirichlet(3),
    "around": Around(Dirichlet(3), CENTRE),
    "holdout": Holdout(Around(Dirichlet(3), CENTRE), (CENTRE, (1.0, 0.0, 0.0))),
}


@pytest.fixture(params=SAMPLERS.values(), ids=SAMPLERS.keys())
def sampler(request):
    return request.param


def test_samples_lie_on_the_simplex(sampler):
    samples = sampler(500, np.random.default_rng(0))
    assert samples.shape == (500, 3)
    assert (samples >= 0).all()
    assert samples.sum(axis=1) == pytest.approx(1)


def test_a_generator_state_brings_samples_back(sampler):
    rng = np.random.default_rng(0)
    sampler(10, rng)
    state = rng.bit_generator.state
    first = sampler(10, rng)
    rng.bit_generator.state = state
    assert (sampler(10, rng) == first).all()


def test_corners_have_their_share():
    samples = Dirichlet(3, corners=0.25)(4000, np.random.default_rng(0))
    assert (samples.max(axis=1) == 1).mean() == pytest.approx(0.25, abs=0.03)


def test_a_share_lies_near_the_user():
    samples = Around(Dirichlet(3), CENTRE, share=0.5, spread=0.1)(4000, np.random.default_rng(0))
    near = np.linalg.norm(samples - CENTRE, axis=1) < 0.1 * np.sqrt(2)
    assert 0.5 < near.mean() < 0.6


def test_kept_out_preferences_are_never_drawn():
    samples = SAMPLERS["holdout"](5000, np.random.default_rng(0))
    for centre in SAMPLERS["holdout"].kept_out:
        assert np.linalg.norm(samples - centre, axis=1).min() > 0.05


def test_nothing_left_to_draw_is_an_error():
    with pytest.raises(ConfigurationError, match="kept_out: must leave preferences"):
        Holdout(Dirichlet(2), ((0.5, 0.5),), radius=1.0)(1, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: Dirichlet(0), "objectives: at least 1, got 0"),
        (lambda: Dirichlet(3, 1.5), "corners: a share from 0 to 1, got 1.5"),
        (lambda: Around(Dirichlet(3), (0.5, 0.5)), "centre: 3 weights, got 2"),
        (lambda: Holdout(Dirichlet(3), ((1.0,),)), "kept_out: 3 weights each, got 1"),
    ],
)
def test_wrong_settings_are_refused_in_one_line(make, line):
    with pytest.raises(ConfigurationError) as caught:
        make()
    assert str(caught.value) == line
