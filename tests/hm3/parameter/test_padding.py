"""Merges of sources whose vocabularies are padded to different sizes."""

import warnings

import pytest
import torch
from safetensors.torch import load_file

from hm3.checkpoints import Checkpoint, check_loading
from hm3.parameter import configuration, merge, specify
from tests.tiny import write_checkpoint

VOCABULARY = ("model.embed_tokens.weight", "lm_head.weight")


def sources(folder, **rows):
    """Sources, each with so many rows."""
    paths = [
        write_checkpoint(folder / name, depth=2, seed=seed, settings={"vocab_size": count})
        for seed, (name, count) in enumerate(rows.items())
    ]
    return {name: Checkpoint.open(name, path) for name, path in zip(rows, paths, strict=True)}


def mergekit_command(data, out, **options):
    """What ``mergekit-yaml`` does, seed 0."""
    with warnings.catch_warnings():  # mergekit imports numpy.core and names dtypes as transformers 4 did
        warnings.simplefilter("ignore", DeprecationWarning)
        from mergekit.config import MergeConfiguration
        from mergekit.merge import run_merge
        from mergekit.options import MergeOptions

        options = MergeOptions(random_seed=0, quiet=True, copy_tokenizer=False, write_model_card=False, **options)
        run_merge(MergeConfiguration.model_validate(data), str(out), options)
    return load_file(out / "model.safetensors")


def merged(given, method, folder):
    base, *experts = (checkpoint.source for checkpoint in given.values())
    settings = {"seed": 0} if method == "dare_ties" else {}
    weights = (1.0,) * len(experts)
    spec = specify(method, base=base, parents=experts, weights=weights, settings=settings)
    paths = {name: checkpoint.path for name, checkpoint in given.items()}
    return spec, paths, Checkpoint.open("merged", merge(spec, paths, folder), spec)


@pytest.mark.parametrize("method", ["linear", "ties", "dare_ties"])
def test_below_the_base_s_rows_mergekit_that_is_told_to_truncate_writes_the_same_bits(tmp_path, method):
    given = sources(tmp_path, base=128, one=128, two=160)
    spec, paths, written = merged(given, method, tmp_path / "merged")
    check_loading(written)
    data = configuration(spec, paths)
    theirs = mergekit_command(data, tmp_path / "theirs", unsafe_truncate_embeddings=True)
    assert set(theirs) == set(written.tensor_names)
    assert all(torch.equal(theirs[name], written.tensor(name)) for name in theirs)
    with pytest.raises(Exception, match=r"128.*160"):
        mergekit_command(data, tmp_path / "not told")


def test_rows_that_not_all_have_are_the_base_s_own(tmp_path):
    given = sources(tmp_path, base=160, one=128, two=144)
    _, _, written = merged(given, "task_arithmetic", tmp_path / "merged")
    check_loading(written)
    for name in VOCABULARY:
        base, one, two = (checkpoint.tensor(name).float() for checkpoint in given.values())
        expected = torch.cat([one[:128] + two[:128] - base[:128], base[128:]])
        torch.testing.assert_close(written.tensor(name).float(), expected, rtol=2**-7, atol=2**-10)
        assert torch.equal(written.tensor(name)[128:], given["base"].tensor(name)[128:])
