"""Layers stay where they were read, within a budget, and run only where the forward covers them."""

import pytest
import torch

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.layers import FAMILIES, LayerBank, family_of
from tests.tiny import write_checkpoint

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return Checkpoint.open("a", write_checkpoint(tmp_path_factory.mktemp("source") / "a"))


def bank_of(source, **options):
    bank = LayerBank(CPU, torch.float32, **options)
    bank.add("d", source)
    return bank


def resident(bank):
    return sum(map(bank._resident.size, bank._resident))


def test_what_was_read_stays(source):
    bank = bank_of(source)
    assert bank.layer("d", 1) is bank.layer("d", 1)
    assert bank.embedding("d") is bank.embedding("d")


def test_an_unlimited_bank_holds_each_weight_once(source):
    bank = bank_of(source)
    for layer in range(source.depth):
        bank.layer("d", layer)
    bank.embedding("d"), bank.ending("d")
    weights = sum(entry.stop - entry.start for entry in source.tensors.values())
    assert resident(bank) == bank.bytes == 2 * weights  # bf16 in the file, float32 in the bank


def test_a_bank_keeps_to_its_budget_and_gives_up_the_least_recently_used(source):
    one = bank_of(source)
    one.layer("d", 0)
    bank = bank_of(source, budget=2 * resident(one))
    for layer in (0, 1, 0, 2):
        bank.layer("d", layer)
    assert [part[1] for part in bank._resident] == [0, 2]
    assert bank.bytes == resident(bank) == 2 * resident(one)


def test_what_was_given_up_is_read_again(source):
    small, whole = bank_of(source, budget=1), bank_of(source)
    for layer in (0, 1, 0):
        assert torch.equal(small.layer("d", layer).qkv, whole.layer("d", layer).qkv)
    assert len(small._resident) == 1


def test_a_dropped_source_frees_its_weights(source):
    bank = bank_of(source)
    bank.layer("d", 0), bank.ending("d")
    bank.drop("d")
    assert (bank.bytes, len(bank._resident), "d" in bank) == (0, 0, False)
    with pytest.raises(CheckpointError, match="must be one of the loaded sources, got digest d"):
        bank.layer("d", 0)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "bloom"}, "source x: model_type must be one of .*llama.*, got 'bloom'"),
        ({}, "got None"),
        ({"model_type": "llama", "hidden_act": "gelu"}, "llama needs hidden_act='silu', got 'gelu'"),
        (
            {"model_type": "gemma2", "use_bidirectional_attention": True},
            "needs use_bidirectional_attention=False, got T",
        ),
        ({"model_type": "qwen3", "per_layer_config": {"1": {}}}, "qwen3 needs per_layer_config=None, got {'1': {}}"),
    ],
)
def test_a_family_without_a_row_or_with_another_forward_is_refused(config, message):
    with pytest.raises(CheckpointError, match=message):
        family_of("x", config)


def test_a_setting_that_is_stated_as_none_is_not_set():
    assert family_of("x", {"model_type": "gemma2", "use_bidirectional_attention": None}) is FAMILIES["gemma2"]


def test_every_family_has_a_row_of_its_own_name():
    assert all(family_of("x", {"model_type": name}) is row for name, row in FAMILIES.items())
