"""Memory of a piece of work is seen even if it is gone at its end."""

import time

import numpy as np
import pytest

from scripts.benchmark.own_memory import own_memory


def test_what_came_and_went_is_seen():
    with own_memory() as used:
        room = np.ones(8_000_000)
        time.sleep(0.05)
        del room
    assert used.peak == pytest.approx(64e6, rel=0.2)
