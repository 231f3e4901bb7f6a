"""A tensor comes back from its file as it was, or is refused in one line."""

import re

import pytest
import torch

from hm3.checkpoints.arrays import packed
from hm3.checkpoints.noted import packed_with_note, unpacked_with_note
from hm3.errors import CheckpointError
from hm3.parameter.pareto import ParetoTensor, initial_terms, load_tensor, save_tensor
from hm3.recipe import MergeSpec, Source
from tests.pareto_differences import random_differences

EXPERTS = tuple(Source(name, name * 4, origin=f"/models/{name}") for name in ("math", "code", "prose"))


@pytest.fixture
def tensor():
    base = Source.merged("even", MergeSpec("linear", None, EXPERTS, (1.0, 1.0, 1.0), (("normalize", True),)))
    return ParetoTensor(initial_terms(random_differences((6, 5), (4, 7)), 2), base, EXPERTS)


def test_it_comes_back_as_it_was(tensor, tmp_path):
    file = save_tensor(tensor, tmp_path / "deep" / "pareto_merging.tensors")
    found = load_tensor(file, tensor.digest)
    assert (found.digest, found.base, found.experts) == (tensor.digest, tensor.base, tensor.experts)
    assert found.experts[0].origin == "/models/math"
    for name, term in tensor.terms.items():
        assert all(torch.equal(getattr(found.terms[name], part), getattr(term, part)) for part in vars(term))
    assert save_tensor(found, tmp_path / "again").read_bytes() == file.read_bytes()


def refused(file, *arguments):
    with pytest.raises(CheckpointError) as caught:
        load_tensor(file, *arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_damaged_file_is_refused(tensor, tmp_path):
    file = save_tensor(tensor, tmp_path / "t")
    whole = file.read_bytes()
    for place in (len(whole) - 3, whole.index(b"math")):  # in the numbers; in the note
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert refused(file).endswith("as it was written, got other content (damaged)")
    file.write_bytes(whole[:-8])
    assert "truncated or damaged" in refused(file)
    file.unlink()
    assert "a readable file, got No such file" in refused(file)


def test_another_tensor_is_refused(tensor, tmp_path):
    file = save_tensor(tensor, tmp_path / "t")
    assert re.search(rf"the tensor of digest abcdef, got {tensor.digest[:12]}$", refused(file, "abcdef"))


def test_a_file_of_another_kind_is_refused(tensor, tmp_path):
    file = tmp_path / "t"
    file.write_bytes(packed({}))
    assert "safetensors with a note, got" in refused(file)
    file.write_bytes(packed_with_note({}, {"kind": "other"}))
    assert "a tensor of pareto_merging, got 'other'" in refused(file)
    arrays, note = unpacked_with_note(save_tensor(tensor, file))
    file.write_bytes(packed_with_note({name: each for name, each in arrays.items() if name != "m0.core"}, note))
    assert "a matrix without all of its factors" in refused(file)
