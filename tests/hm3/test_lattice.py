from math import comb

import numpy as np
import pytest
from pymoo.util.ref_dirs import get_reference_directions

from hm3.errors import ConfigurationError
from hm3.lattice import das_dennis


@pytest.mark.parametrize(("objectives", "divisions"), [(2, 5), (3, 4), (3, 12), (4, 6), (5, 3)])
def test_it_is_pymoos(objectives, divisions):
    ours = das_dennis(objectives, divisions)
    theirs = get_reference_directions("das-dennis", objectives, n_partitions=divisions)
    assert len(ours) == comb(divisions + objectives - 1, objectives - 1)
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_small_ones_by_eye():
    assert das_dennis(2, 2).tolist() == [[0, 1], [0.5, 0.5], [1, 0]]
    assert das_dennis(1, 3).tolist() == [[1]]
    assert das_dennis(4, 0).tolist() == [[0.25] * 4]


def test_impossible_ones_are_refused():
    with pytest.raises(ConfigurationError, match="objectives >= 1"):
        das_dennis(0, 3)
