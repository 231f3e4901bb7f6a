"""Layers stay where they were read, within a budget, and run only where the forward covers them."""

import pytest
import torch

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.layers import FAMILIES, Decoder, LayerBank, LayerKind, LayerWeights, family_of
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
    return sum(size for _, size in bank._parts.values())


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
    assert resident(bank) == bank._bytes == 2 * weights  # bf16 in the file, float32 in the bank


def test_a_bank_keeps_to_its_budget_and_gives_up_the_least_recently_used(source):
    one = bank_of(source)
    one.layer("d", 0)
    bank = bank_of(source, budget=2 * resident(one))
    for layer in (0, 1, 0, 2):
        bank.layer("d", layer)
    assert [part[1] for part in bank._parts] == [0, 2]
    assert bank._bytes == resident(bank) == 2 * resident(one)


def test_what_was_given_up_is_read_again(source):
    small, whole = bank_of(source, budget=1), bank_of(source)
    for layer in (0, 1, 0):
        assert torch.equal(small.layer("d", layer).qkv, whole.layer("d", layer).qkv)
    assert len(small._parts) == 1


def test_a_dropped_source_frees_its_weights(source):
    bank = bank_of(source)
    bank.layer("d", 0), bank.ending("d")
    bank.drop("d")
    assert (bank._bytes, len(bank._parts), "d" in bank) == (0, 0, False)
    with pytest.raises(CheckpointError, match="must be one of the loaded sources, got digest d"):
        bank.layer("d", 0)


def test_stacking_and_unstacking_a_layer_give_its_tensors_back_as_views(source):
    prefix = "model.layers.2."
    tensors = {name.removeprefix(prefix): source.tensor(name) for name in source.tensors if name.startswith(prefix)}
    weights = LayerWeights.stack(tensors, LayerKind())
    back = weights.tensors()
    assert set(back) == set(tensors)
    assert all(torch.equal(back[name], tensors[name]) for name in tensors)
    assert back["self_attn.k_proj.weight"].untyped_storage().data_ptr() == weights.qkv.untyped_storage().data_ptr()


@pytest.mark.parametrize("name", ["self_attn.q_norm.weight", "mlp.up_proj.bias"])
def test_a_tensor_that_the_forward_would_ignore_is_refused(source, name):
    prefix = "model.layers.0."
    tensors = {name.removeprefix(prefix): source.tensor(name) for name in source.tensors if name.startswith(prefix)}
    with pytest.raises(CheckpointError, match=name):
        LayerWeights.stack({**tensors, name: torch.zeros(4)}, LayerKind())


def test_a_tensor_that_is_missing_is_named(source):
    prefix = "model.layers.0."
    tensors = {name.removeprefix(prefix): source.tensor(name) for name in source.tensors if name.startswith(prefix)}
    del tensors["mlp.down_proj.weight"]
    with pytest.raises(CheckpointError, match=r"mlp\.down_proj\.weight"):
        LayerWeights.stack(tensors, LayerKind())


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"model_type": "mamba"}, "source x: model_type must be one of .*llama.*, got 'mamba'"),
        ({}, "got None"),
        ({"model_type": "llama", "hidden_act": "gelu"}, "llama needs hidden_act='silu', got 'gelu'"),
        ({"model_type": "qwen2", "use_sliding_window": True}, "qwen2 needs use_sliding_window=False, got True"),
    ],
)
def test_a_family_without_a_row_or_with_another_forward_is_refused(config, message):
    with pytest.raises(CheckpointError, match=message):
        family_of("x", config)


def test_every_family_has_a_row_of_its_own_name():
    assert all(family_of("x", {"model_type": name}) is row for name, row in FAMILIES.items())


def test_padding_to_the_right_changes_nothing_at_real_positions(source):
    bank = bank_of(source)
    decoder = bank.forward("d", 12)
    hidden = torch.randn(1, 12, 32, generator=torch.Generator().manual_seed(0))
    whole = decoder.layer(bank.layer("d", 0), hidden)
    torch.testing.assert_close(whole[:, :7], decoder.layer(bank.layer("d", 0), hidden[:, :7]), atol=1e-6, rtol=0)


def test_the_last_layer_is_the_layer_at_answer_positions(source):
    bank = bank_of(source)
    decoder = bank.forward("d", 9)
    hidden = torch.randn(2, 9, 32, generator=torch.Generator().manual_seed(0))
    slots, used = torch.tensor([[3, 4, 5], [8, 0, 0]]), torch.tensor([[True, True, True], [True, False, False]])
    whole = decoder.layer(bank.layer("d", 0), hidden.clone())
    expected = torch.stack([whole[0, 3], whole[0, 4], whole[0, 5], whole[1, 8]])
    kept = decoder.last_layer(bank.layer("d", 0), hidden, slots, used)
    torch.testing.assert_close(kept, expected, atol=1e-6, rtol=0)


def test_long_rows_run_like_short_ones(source):
    """Beyond 512 tokens attention takes another way; what a row begins with is the same on both."""
    bank = bank_of(source)
    decoder, weights = bank.forward("d", 700), bank.layer("d", 0)
    hidden = torch.randn(2, 700, 32, generator=torch.Generator().manual_seed(0))
    whole = decoder.layer(weights, hidden)
    torch.testing.assert_close(whole[:, :400], decoder.layer(weights, hidden[:, :400]), atol=1e-5, rtol=0)
    slots, used = torch.tensor([[500, 650], [699, 0]]), torch.tensor([[True, True], [True, False]])
    expected = torch.stack([whole[0, 500], whole[0, 650], whole[1, 699]])
    torch.testing.assert_close(decoder.last_layer(weights, hidden, slots, used), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["dynamic", "longrope"])
def test_rotary_embeddings_that_depend_on_the_text_are_refused(source, kind):
    config = {**source.config, "rope_parameters": {"rope_type": kind, "factor": 2.0}}
    with pytest.raises(CheckpointError, match=f"must not depend on the sequence, got '{kind}'"):
        Decoder(config, 8, CPU, torch.float32)
