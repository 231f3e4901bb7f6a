"""A search space of merge settings: what its numbers mean, and that every point is a merge."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hm3.errors import ConfigurationError
from hm3.parameter import METHODS, MergeSpace, merge_tensors
from hm3.recipe import Source

BASE, MATH, CODE = Source("base", "0"), Source("math", "1"), Source("code", "2")
SEARCHED = [name for name, method in METHODS.items() if method.own_weights]
PER_PARENT = {"dare_ties": 2, "della": 3, "breadcrumbs": 3, "linear": 1}  # density, epsilon or gamma, and weight


def space(method="dare_ties", base=BASE, parents=(MATH, CODE), depth=8, **rest):
    return MergeSpace(method, base, parents, depth, **rest)


@pytest.mark.parametrize("method", PER_PARENT)
def test_it_has_a_dimension_for_each_setting_parent_and_block(method):
    one, three = space(method), space(method, blocks=3)
    assert (one.dimensions, three.dimensions) == (2 * PER_PARENT[method], 6 * PER_PARENT[method])
    assert len(set(three.names)) == len(three.names) == three.dimensions


def test_numbers_have_names():
    assert space().names == ("density math", "density code", "weight math", "weight code")
    assert space(parents=(CODE,), blocks=2).names == (
        "density code 0-3",
        "weight code 0-3",
        "density code 4-7",
        "weight code 4-7",
    )


@pytest.mark.parametrize(
    ("depth", "blocks", "firsts"), [(8, 1, (0,)), (7, 2, (0, 4)), (10, 4, (0, 3, 6, 8)), (3, 3, (0, 1, 2))]
)
def test_blocks_are_even_and_the_first_ones_longer(depth, blocks, firsts):
    assert space(depth=depth, blocks=blocks).firsts == firsts


def test_a_point_is_what_its_names_say():
    found = space(searched={"weight": (0.5, 1.5), "density": (0.2, 1.0)}, settings={"seed": 7}, blocks=2).spec(
        [0, 1, 0, 1, 0.5, 0.5, 0.25, 0.75]
    )
    assert found.weights == (0.5, 1.5)
    assert dict(found.settings) == {
        "density.0": 0.2,
        "density.1": 1.0,
        "lambda": 1.0,
        "normalize": False,
        "rescale": True,
        "seed": 7,
    }
    (block,) = found.blocks
    assert (block.first, block.weights) == (4, (0.75, 1.25))
    assert dict(block.settings)["density.0"] == pytest.approx(0.6)


def test_settings_that_are_stated_are_not_searched():
    assert space(settings={"density": 0.5}).names == ("weight math", "weight code")
    only = space(searched={"density": (0, 1)})
    assert only.names == ("density math", "density code")
    assert only.spec([0.3, 0.4]).weights == (1.0, 1.0)


def test_della_s_epsilon_stays_where_the_density_allows_it():
    both = space("della", parents=(MATH,), searched={"density": (0, 1), "epsilon": (0, 0.5)})
    assert dict(both.spec([0.5, 0.4]).settings)["epsilon.0"] == 0.2
    assert dict(both.spec([0.1, 1.0]).settings)["epsilon.0"] == pytest.approx(0.099)
    stated = space("della", parents=(MATH,), searched={"density": (0, 1)}, settings={"epsilon": 0.3})
    assert [dict(stated.spec([x]).settings)["epsilon.0"] for x in (0.0, 0.4, 1.0)] == [0.0, 0.3, 0.0]


def test_weights_of_nothing_are_even_where_they_are_normalised():
    assert space("linear").spec([0, 0]).weights == (1.0, 1.0)
    assert space("linear", settings={"normalize": False}).spec([0, 0]).weights == (0.0, 0.0)
    assert space("ties", searched={"weight": (0, 1)}).spec([0, 0]).weights == (0.0, 0.0)


@pytest.mark.parametrize("method", [name for name in SEARCHED if name != "della"])
def test_a_merge_has_its_point(method):
    searched = space(method, blocks=2)
    point = np.random.default_rng(0).uniform(size=searched.dimensions)
    np.testing.assert_allclose(searched.point(searched.spec(point)), point, atol=1e-12)


def test_the_point_of_a_merge_outside_is_the_nearest():
    outside = space(searched={"weight": (0, 2)}, settings={"density": 0.5}).spec([1.0, 0.25])
    np.testing.assert_array_equal(space().point(outside), [0.5, 0.5, 1.0, 0.5])


def test_refuses_the_point_of_another_merge():
    with pytest.raises(ConfigurationError, match="merge space: dare_ties of math, code, got ties of math, code"):
        space().point(space("ties").spec([0, 0, 0, 0]))


@pytest.mark.parametrize("method", SEARCHED)
@pytest.mark.parametrize("blocks", [1, 3])
@pytest.mark.parametrize("normalize", [True, False])
def test_every_point_is_a_finite_merge(method, blocks, normalize, family):
    parents = tuple(family.source(name) for name in ("math", "code"))
    searched = MergeSpace(method, family.source("base"), parents, 3, blocks, settings={"normalize": normalize})
    ends = st.sampled_from([0.0, 1e-300, 1e-9, 1e-3, 0.5, 0.999, 1 - 1e-9, 1 - 2**-53, 1.0])
    points = st.lists(ends | st.floats(0, 1), min_size=searched.dimensions, max_size=searched.dimensions)

    @settings(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(points)
    def every_point(point):
        for dtype in (torch.bfloat16, torch.float32):
            for name, tensor in merge_tensors(searched.spec(point), family.checkpoints, dtype=dtype):
                assert torch.isfinite(tensor).all(), name

    every_point()
    for corner in (0.0, 1.0):
        for _, tensor in merge_tensors(searched.spec([corner] * searched.dimensions), family.checkpoints):
            assert torch.isfinite(tensor).all()


@pytest.mark.parametrize("method", [name for name in SEARCHED if METHODS[name].needs_base])
def test_nothing_kept_is_the_base(method, family):
    parents = tuple(family.source(name) for name in ("math", "code"))
    searched = MergeSpace(method, family.source("base"), parents, 3)
    densities = [name.startswith("density") for name in searched.names]
    points = [np.zeros(searched.dimensions)] + ([np.where(densities, 0.0, 1.0)] if any(densities) else [])
    for point in points:
        merged = dict(merge_tensors(searched.spec(point), family.checkpoints))
        assert all(torch.equal(merged[name], family.checkpoints["base"].tensor(name)) for name in merged)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "slerp"}, "merge slerp: has no settings to search"),
        ({"method": "model_stock"}, "merge model_stock: has no settings to search"),
        ({"method": "magic"}, "merge method: one of .*, got 'magic'"),
        ({"base": None}, "merge dare_ties: a base source, got none"),
        ({"parents": ()}, "merge dare_ties: at least 1 parents, got 0"),
        ({"blocks": 9}, "merge blocks: from 1 to 8, the number of layers, got 9"),
        ({"blocks": 0}, "merge blocks: from 1 to 8, the number of layers, got 0"),
        ({"searched": {"lambda": (0, 1)}}, "merge dare_ties: searched settings are density, weight, got lambda"),
        ({"searched": {}}, "merge dare_ties: searched settings are density, weight, got none"),
        ({"searched": {"weight": (1, 1)}}, r"bounds of weight are two numbers, the lower first, got \[1, 1\]"),
        ({"searched": {"weight": (0, float("nan"))}}, "bounds of weight are two numbers, the lower first, got .*nan"),
        ({"searched": {"weight": 1.0}}, "bounds of weight are two numbers, the lower first, got 1.0"),
        ({"searched": {"density": (0, 2)}}, r"bounds of density are .*, within 0 and 1, got \[0, 2\]"),
        ({"searched": {"density": (0, 1)}, "settings": {"density": 0.5}}, "searched or stated, got both for density"),
        ({"settings": {"magic": 1}}, "merge dare_ties: settings are .*, got magic"),
        ({"settings": {"weight": 1}}, "merge dare_ties: settings are .*, got weight"),
        ({"method": "della", "settings": {"epsilon": 0.7}}, "merge della: epsilon is from 0 to 0.5, got 0.7"),
        ({"method": "linear", "searched": {"weight": (-1, 1)}}, "merge linear: weights of at least 0 .*, got -1"),
    ],
)
def test_refuses_a_space_that_is_none(changes, message):
    with pytest.raises(ConfigurationError, match=message) as refusal:
        space(**changes)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("point", [[0.5], [0.5, 0.5, 0.5, 1.01], [0.5, 0.5, 0.5, float("nan")], [-0.1, 0, 0, 0]])
def test_refuses_points_outside(point):
    with pytest.raises(ConfigurationError, match=r"merge space: points of 4 numbers in \[0, 1\], got"):
        space().spec(point)
