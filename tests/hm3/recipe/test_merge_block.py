"""Merges without blocks are to the bit what they were; blocks are part of what a merge is."""

from dataclasses import replace

import pytest

from hm3.errors import ConfigurationError
from hm3.recipe import MergeBlock, MergeSpec, Source

BASE, MATH, CODE = Source("base", "0"), Source("math", "1"), Source("code", "2")
SPEC = MergeSpec("dare_ties", BASE, (MATH, CODE), (0.5, 0.25), (("density.0", 0.4), ("seed", 1)))
BLOCK = MergeBlock(4, (0.0, 1.0), (("density", 0.7),))
IN_BLOCKS = replace(SPEC, blocks=(BLOCK,))


def test_the_digest_of_a_merge_without_blocks_is_the_one_of_old():
    assert SPEC.digest == "80417a8498289c77763a3b8cf662cea36dd4670ea88c060565525c13d23ddbb3"
    assert set(SPEC.to_json()) == {"method", "base", "parents", "weights", "settings"}


def test_blocks_are_part_of_the_merge():
    others = [
        replace(IN_BLOCKS, blocks=(replace(BLOCK, **change),))
        for change in ({"first": 5}, {"weights": (1.0, 1.0)}, {"settings": ()})
    ]
    assert len({spec.digest for spec in (SPEC, IN_BLOCKS, *others)}) == 5
    assert MergeSpec.from_json(IN_BLOCKS.to_json()) == IN_BLOCKS
    assert Source.merged("m", IN_BLOCKS).given == (BASE, MATH, CODE)


def test_parts_are_merges_without_blocks():
    assert SPEC.parts == ((0, SPEC),)
    assert IN_BLOCKS.parts == ((0, SPEC), (4, replace(SPEC, weights=BLOCK.weights, settings=BLOCK.settings)))


@pytest.mark.parametrize(
    ("firsts", "weights", "message"),
    [
        ((0,), (1.0, 1.0), r"first layers above 0, each above the one before, got \[0\]"),
        ((-2,), (1.0, 1.0), r"got \[-2\]"),
        ((3, 3), (1.0, 1.0), r"got \[3, 3\]"),
        ((True,), (1.0, 1.0), r"got \[True\]"),
        (("a",), (1.0, 1.0), r"got \['a'\]"),
        ((2,), (1.0,), "merge block from layer 2: one weight for each parent, 2 in all, got 1"),
    ],
)
def test_refuses_blocks_that_are_none(firsts, weights, message):
    with pytest.raises(ConfigurationError, match=message):
        replace(SPEC, blocks=tuple(MergeBlock(first, weights) for first in firsts))
