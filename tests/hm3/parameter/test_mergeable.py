"""Models that cannot be merged are refused in one line, before any weight is read."""

import pytest

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.parameter import check_mergeable
from tests.tiny import write_checkpoint


def test_models_of_one_shape_can_be_merged(family, monkeypatch):
    monkeypatch.setattr(Checkpoint, "read", None)
    monkeypatch.setattr(Checkpoint, "tensor", None)
    check_mergeable(list(family.checkpoints.values()))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"depth": 4}, "merge: base and odd must have the same tensors, got model.layers.3.* only in odd"),
        ({"depth": 2}, "merge: base and odd must have the same tensors, got model.layers.2.* only in base"),
        ({"depth": 3, "width": 64}, r"merge: lm_head.weight of base and odd must have one shape, got \[128, 32\] and"),
    ],
)
def test_refuses_models_of_another_shape(family, tmp_path, monkeypatch, shape, message):
    odd = Checkpoint.open("odd", write_checkpoint(tmp_path, **shape))
    monkeypatch.setattr(Checkpoint, "read", None)
    with pytest.raises(CheckpointError, match=message) as refusal:
        check_mergeable([family.checkpoints["base"], odd])
    assert "\n" not in str(refusal.value)
