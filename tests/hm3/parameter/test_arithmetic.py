"""Merged tensors are what the formulas say and, bit for bit, what mergekit's own command writes."""

import random
import warnings

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.parameter import METHODS, configuration, merge_tensors
from hm3.recipe import Source
from tests.tiny import write_checkpoint

RANDOM = [name for name, method in METHODS.items() if method.random]
BF16 = 2**-8  # distance of neighbouring numbers, relative


def merged(family, *args, **options):
    return dict(merge_tensors(family.spec(*args, **options), family.checkpoints))


def mergekit_command(data, out):
    """What ``mergekit-yaml`` does, seed 0."""
    with warnings.catch_warnings():  # mergekit imports numpy.core and names dtypes as transformers 4 did
        warnings.simplefilter("ignore", DeprecationWarning)
        from mergekit.config import MergeConfiguration
        from mergekit.merge import run_merge
        from mergekit.options import MergeOptions

        options = MergeOptions(random_seed=0, quiet=True, copy_tokenizer=False, write_model_card=False)
        run_merge(MergeConfiguration.model_validate(data), str(out), options)
    return load_file(out / "model.safetensors")


def tensors(family, name):
    checkpoint = family.checkpoints[name]
    return {key: checkpoint.tensor(key).float() for key in checkpoint.tensor_names}


def assert_close(result, expected):
    assert set(result) == set(expected)
    for name, tensor in result.items():
        assert tensor.dtype == torch.bfloat16
        torch.testing.assert_close(tensor.float(), expected[name], rtol=BF16, atol=2 * BF16 * 0.05)


def test_linear_is_the_weighted_average(family):
    math, code, prose = (tensors(family, name) for name in ("math", "code", "prose"))
    expected = {name: 0.5 * math[name] + 0.3 * code[name] + 0.2 * prose[name] for name in math}
    assert_close(merged(family, "linear"), expected)
    assert_close(merged(family, "linear", weights=(5, 3, 2)), expected)


def test_task_arithmetic_at_a_corner_is_the_expert(family):
    assert_close(merged(family, "task_arithmetic", weights=(0, 1, 0)), tensors(family, "code"))


def test_task_arithmetic_adds_weighted_differences(family):
    base, math, code = (tensors(family, name) for name in ("base", "math", "code"))
    expected = {n: base[n] + 2 * (0.5 * (math[n] - base[n]) + 0.25 * (code[n] - base[n])) for n in base}
    assert_close(merged(family, "task_arithmetic", weights=(0.5, 0.25), **{"lambda": 2.0}), expected)


def test_ties_at_full_density_keeps_the_elected_sign(family):
    base, math, code = (tensors(family, name) for name in ("base", "math", "code"))
    expected = {}
    for name in base:
        deltas = torch.stack([math[name] - base[name], code[name] - base[name]])
        kept = deltas.sign() == torch.where(deltas.sum(0) >= 0, 1.0, -1.0)
        expected[name] = base[name] + (deltas * kept).sum(0) / kept.sum(0).clamp(min=1)
    result = merged(family, "ties", weights=(1, 1), density=1.0)
    agree = [torch.isclose(result[n].float(), expected[n], rtol=BF16, atol=1e-3).float().mean() for n in base]
    assert min(agree) > 0.97  # rounding to bf16 may turn a sum near 0 around


def test_slerp_reaches_both_ends(family):
    assert_close(merged(family, "slerp", weights=(1, 0)), tensors(family, "math"))
    assert_close(merged(family, "slerp", weights=(0, 1)), tensors(family, "code"))


def test_dare_keeps_a_share_of_every_difference(family):
    base = tensors(family, "base")["model.embed_tokens.weight"]
    result = merged(family, "dare_linear", weights=(1,), density=0.25, rescale=False)["model.embed_tokens.weight"]
    assert abs((result.float() != base).float().mean() - 0.25) < 0.03


@pytest.mark.parametrize("method", METHODS)
def test_mergekit_s_command_writes_the_same_bits(method, family, tmp_path):
    weights = (0.5, 0.3) if method == "slerp" else (0.5, 0.3, 0.2)
    spec = family.spec(method, weights=weights)
    theirs = mergekit_command(configuration(spec, family.paths), tmp_path)
    ours = dict(merge_tensors(spec, family.checkpoints))
    assert set(ours) == set(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_each_parent_may_have_its_own_density(family, tmp_path):
    spec = family.spec("ties", density=[0.2, 0.5, 0.9])
    ours, theirs = (
        dict(merge_tensors(spec, family.checkpoints)),
        mergekit_command(configuration(spec, family.paths), tmp_path),
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    models = configuration(spec, family.paths)["models"]
    assert [model["parameters"]["density"] for model in models] == [0.2, 0.5, 0.9]


@pytest.mark.parametrize("method", RANDOM)
def test_a_seed_says_what_is_dropped(method, family):
    first, again, other = (merged(family, method, seed=seed) for seed in (1, 1, 2))
    name = "model.embed_tokens.weight"
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first[name], other[name])


def test_the_caller_s_generators_and_threads_are_left_alone(family):
    def state():
        generators = [torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist()]  # noqa: NPY002
        return *generators, torch.get_num_threads()

    before = state()
    stream = merge_tensors(family.spec("dare_ties"), family.checkpoints)
    next(stream)
    assert state() == before
    drawn = torch.rand(3)
    rest = dict(stream)
    torch.set_rng_state(torch.tensor(before[0], dtype=torch.uint8))
    assert torch.equal(torch.rand(3), drawn)
    whole = merged(family, "dare_ties")
    assert all(torch.equal(rest[name], whole[name]) for name in rest)


def test_sources_are_not_written_to(family):
    before = {name: tensor.clone() for name, tensor in tensors(family, "math").items()}
    merged(family, "linear", weights=(1,))["model.norm.weight"].add_(1)
    assert all(torch.equal(before[name], tensor) for name, tensor in tensors(family, "math").items())


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"depth": 4}, "must have the same tensors, got model.layers.3.* only in odd"),
        ({"depth": 3, "tied": True}, "must have the same tensors, got lm_head.weight only in base"),
        ({"depth": 3, "width": 64}, r"must have one shape, got \[128, 32\] and \[128, 64\]"),
    ],
)
def test_refuses_sources_of_another_shape(family, tmp_path, shape, message):
    odd = Checkpoint.open("odd", write_checkpoint(tmp_path, **shape))
    spec = family.spec("task_arithmetic", weights=(1,))
    spec = type(spec)(spec.method, spec.base, (Source("odd", "0"),), (1.0,), spec.settings)
    with pytest.raises(CheckpointError, match=message):
        list(merge_tensors(spec, {**family.checkpoints, "odd": odd}))
