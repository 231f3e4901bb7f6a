"""Blocks of layers with weights and settings of their own: to the bit what mergekit makes of slices."""

import pytest
import torch

from hm3.checkpoints import Checkpoint
from hm3.errors import ConfigurationError
from hm3.parameter import METHODS, MergeCache, configuration, merge_tensors, specify
from hm3.recipe import MergeBlock, MergeSpec, Source
from tests.hm3.parameter.test_arithmetic import mergekit_command, tensors

CHANGES = {
    "della": {"density": [0.3, 0.6, 0.8], "epsilon": 0.1},
    "breadcrumbs": {"density": 0.4, "gamma": [0.1, 0.0, 0.3]},
    "linear": {"normalize": False},
    "task_arithmetic": {"lambda": 0.7},
    "slerp": {},
    "model_stock": {"filter_wise": True},
}
BASE, MATH, CODE = Source("base", "0"), Source("math", "1"), Source("code", "2")


def in_blocks(family, method, blocks, weights=(0.5, 0.3, 0.2), **settings):
    parents = [family.source(name) for name in ("math", "code", "prose")][: len(weights)]
    return specify(
        method, base=family.source("base"), parents=parents, weights=weights, settings=settings, blocks=blocks
    )


@pytest.mark.parametrize("method", METHODS)
def test_mergekit_s_command_writes_the_same_bits(method, family, tmp_path):
    count, changes = 2 if method == "slerp" else 3, CHANGES.get(method, {"density": [0.2, 1.0, 0.5]})
    blocks = {1: ((0.1, 0.6, 0.4)[:count], changes), 2: ((1.0, 0.25, 0.0)[:count], {})}
    spec = in_blocks(family, method, blocks, (0.5, 0.3, 0.2)[:count])
    assert [block.first for block in spec.blocks] == [1, 2]
    theirs = mergekit_command(configuration(spec, family.paths), tmp_path)
    ours = dict(merge_tensors(spec, family.checkpoints))
    assert set(ours) == set(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_embedding_goes_with_the_first_block_and_head_with_the_last(family):
    spec = in_blocks(family, "task_arithmetic", {2: ((0, 1), {})}, weights=(1, 0))
    merged, math, code = dict(merge_tensors(spec, family.checkpoints)), tensors(family, "math"), tensors(family, "code")
    assert list(merged) == sorted(math)
    for name, tensor in merged.items():
        first = name.startswith(("model.embed_tokens.", "model.layers.0.", "model.layers.1."))
        torch.testing.assert_close(tensor.float(), (math if first else code)[name], rtol=2**-8, atol=1e-3)


def test_a_merge_without_blocks_is_what_it_was(family):
    plain, same = family.spec("dare_ties"), in_blocks(family, "dare_ties", {1: ((0.5, 0.3, 0.2), {"density": 0.9})})
    assert same == plain
    assert same.digest == plain.digest


def test_only_what_changes_is_a_block():
    spec = specify(
        "ties",
        base=BASE,
        parents=[MATH, CODE],
        weights=[1, 0],
        settings={"density": 0.4},
        blocks={1: ([1, 0], {}), 2: ([0, 1], {}), 3: ([0, 1], {"density": 0.4}), 4: ([0, 1], {"density": 0.6})},
    )
    assert [block.first for block in spec.blocks] == [2, 4]
    assert dict(spec.blocks[0].settings) == {"density": 0.4, "lambda": 1.0, "normalize": True, "rescale": False}


def test_its_folder_says_how(family, tmp_path):
    spec = in_blocks(family, "dare_ties", {2: ((0.2, 0.2, 0.9), {})})
    opened = Checkpoint.open("merged", MergeCache(tmp_path).get(spec, family.paths), spec)
    assert all(torch.equal(opened.tensor(name), tensor) for name, tensor in merge_tensors(spec, family.checkpoints))
    data = configuration(spec, family.paths)
    assert [[source["layer_range"] for source in part["sources"]] for part in data["slices"]] == [
        [[0, 2]] * 4,
        [[2, 3]] * 4,
    ]
    assert "slices:" in (opened.path / "mergekit.yaml").read_text()


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ({1: ([1], {})}, "merge ties: one weight for each of 2 parents, got 1"),
        ({1: ([1, 1], {"density": 1.5})}, "merge ties: density is from 0 to 1, got 1.5"),
        ({1: ([1, 1], {"magic": 1})}, "merge ties: settings are .*, got magic"),
        ({2: ([1, 1], {}), 1: ([1, 0], {})}, r"merge blocks: first layers above 0, .*, got \[2, 1\]"),
        ({0: ([1, 1], {})}, r"merge blocks: first layers above 0, .*, got \[0\]"),
    ],
)
def test_refuses_blocks_that_are_none(blocks, message):
    with pytest.raises(ConfigurationError, match=message):
        specify("ties", base=BASE, parents=[MATH, CODE], weights=[1, 0], blocks=blocks)


def test_refuses_a_seed_of_a_block_s_own():
    with pytest.raises(ConfigurationError, match="merge dare_ties: one seed for all blocks, got one for layer 1"):
        specify("dare_ties", base=BASE, parents=[MATH], weights=[1], blocks={1: ([1], {"seed": 2})})


def test_what_a_method_refuses_it_refuses_in_a_block():
    with pytest.raises(ConfigurationError, match=r"merge della: density ± epsilon within \(0, 1\), got 0.9 ± 0.2"):
        specify("della", base=BASE, parents=[MATH], weights=[1], blocks={1: ([1], {"density": 0.9, "epsilon": 0.2})})


def test_refuses_a_block_above_the_last_layer(family):
    spec = in_blocks(family, "ties", {3: ((1, 0, 0), {})})
    message = "merge blocks: first layers below the depth, 3, got 3"
    with pytest.raises(ConfigurationError, match=message):
        merge_tensors(spec, family.checkpoints)
    with pytest.raises(ConfigurationError, match=message):
        configuration(spec, family.paths)


def test_blocks_survive_json():
    blocks = (MergeBlock(1, (0.0,), (("density", 0.5),)), MergeBlock(3, (1.0,)))
    spec = MergeSpec("ties", BASE, (MATH,), (1.0,), (), blocks)
    assert MergeSpec.from_json(spec.to_json()) == spec
