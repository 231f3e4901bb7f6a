import numpy as np
import pytest

from agents.merge_settings import Told
from agents.merge_settings.linear_grid import LinearGrid, spread_lattice
from hm3.errors import ConfigurationError
from hm3.lattice import das_dennis


def told(points):
    return Told(points, np.zeros((len(points), 2)))


@pytest.mark.parametrize(
    ("experts", "least", "number"), [(2, 30, 30), (3, 30, 36), (3, 10, 10), (4, 30, 35), (3, 1, 3)]
)
def test_the_lattice_is_the_coarsest_that_suffices(experts, least, number):
    lattice = spread_lattice(experts, least)
    assert len(lattice) == number
    divisions = round(1 / lattice[lattice > 0].min())
    assert sorted(lattice.tolist()) == sorted(das_dennis(experts, divisions).tolist())


def test_the_corners_and_the_centre_come_first():
    assert spread_lattice(3, 10)[:4].tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1 / 3] * 3]
    assert spread_lattice(2, 5).tolist()[:3] == [[1, 0], [0, 1], [0.5, 0.5]]


def test_every_prefix_is_better_spread_than_the_lattices_own_order():
    lattice, plain = spread_lattice(3, 30), das_dennis(3, 7)
    for count in (5, 8, 12, 20):
        assert gap(lattice[:count], lattice) < gap(plain[:count], lattice)


def gap(points, lattice):
    """How far from all points something can be."""
    return np.linalg.norm(lattice[:, None] - points, axis=-1).min(axis=1).max()


def test_a_finer_lattice_goes_on_where_one_ends():
    grid = LinearGrid(dimensions=2, points=3)
    done = grid.propose(told(np.empty((0, 2))), 10)
    assert sorted(done.tolist()) == [[0, 1], [0.5, 0.5], [1, 0]]
    more = grid.propose(told(done), 10)
    assert sorted(more[:, 0].tolist()) == pytest.approx([1 / 3, 2 / 3])


def test_one_expert_has_no_grid():
    with pytest.raises(ConfigurationError, match="linear grid: experts: an integer of at least 2, got 1"):
        LinearGrid(dimensions=1)
