"""What scoring asks of every family's layers: padding, answers only, long rows, weights without copies."""

from types import SimpleNamespace

import pytest
import torch
from transformers.models.gemma2.modeling_gemma2 import Gemma2RMSNorm, Gemma2TextScaledWordEmbedding

from hm3.errors import CheckpointError
from hm3.layers import FAMILIES, Decoder, LayerBank, LayerKind
from hm3.layers.decoder.designs import PLAIN
from hm3.layers.decoder.pieces import looked_up_times_root_width, offset_rms_norm
from tests.tiny_families import SAMPLES, write_source

CPU = torch.device("cpu")
OURS = [name for name, row in FAMILIES.items() if getattr(row.forward, "func", row.forward) is Decoder]


@pytest.fixture(scope="module", params=OURS)
def lab(request, tmp_path_factory):
    sample = next(sample for sample in SAMPLES[::-1] if sample.model_type == request.param)  # the last: with windows
    source = write_source(tmp_path_factory.mktemp("source") / "a", sample, depth=2, seed=1)
    bank = LayerBank(CPU, torch.float32)
    bank.add("d", source)
    return SimpleNamespace(bank=bank, source=source, family=FAMILIES[request.param])


def states(length, rows=2):
    return torch.randn(rows, length, 32, generator=torch.Generator().manual_seed(length))


def tensors_of(lab, layer=1):
    prefix = lab.family.layer_prefix(layer)
    return {name.removeprefix(prefix): lab.source.tensor(name) for name in lab.source.tensors if prefix in name}


@pytest.mark.parametrize("layer", [0, 1])  # of two kinds, where the family has two
def test_padding_to_the_right_changes_nothing_at_real_positions(lab, layer):
    forward, weights = lab.bank.forward("d", 20), lab.bank.layer("d", layer)
    whole = forward.layer(weights, states(20))
    torch.testing.assert_close(whole[:, :13], forward.layer(weights, states(20)[:, :13]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("layer", [0, 1])
def test_the_last_layer_is_the_layer_at_answer_positions(lab, layer):
    forward, weights = lab.bank.forward("d", 19), lab.bank.layer("d", layer)
    slots, used = torch.tensor([[13, 14, 15], [18, 0, 0]]), torch.tensor([[True, True, True], [True, False, False]])
    whole = forward.layer(weights, states(19))
    expected = torch.stack([whole[0, 13], whole[0, 14], whole[0, 15], whole[1, 18]])
    torch.testing.assert_close(forward.last_layer(weights, states(19), slots, used), expected, atol=1e-5, rtol=0)


def test_a_layer_writes_into_new_memory(lab):
    given, slots = states(9), torch.tensor([[3], [4]])
    forward, weights = lab.bank.forward("d", 9), lab.bank.layer("d", 0)
    forward.layer(weights, given)
    forward.last_layer(weights, given, slots, torch.ones_like(slots, dtype=torch.bool))
    forward.logits(lab.bank.ending("d"), given[0])
    assert torch.equal(given, states(9))


@pytest.mark.parametrize("layer", [0, 1])
def test_long_rows_run_like_short_ones(lab, layer):
    """Beyond 512 tokens attention takes another way; what a row begins with is the same on both."""
    forward, weights = lab.bank.forward("d", 700), lab.bank.layer("d", layer)
    whole = forward.layer(weights, states(700))
    torch.testing.assert_close(whole[:, :400], forward.layer(weights, states(700)[:, :400]), atol=1e-5, rtol=0)
    slots, used = torch.tensor([[500, 650], [699, 0]]), torch.tensor([[True, True], [True, False]])
    expected = torch.stack([whole[0, 500], whole[0, 650], whole[1, 699]])
    torch.testing.assert_close(forward.last_layer(weights, states(700), slots, used), expected, atol=1e-5, rtol=0)


def test_in_bfloat16_a_layer_is_the_same_but_for_rounding(lab):
    half = LayerBank(CPU, torch.bfloat16)
    half.add("d", lab.source)
    whole = lab.bank.forward("d", 19).layer(lab.bank.layer("d", 0), states(19))
    rough = half.forward("d", 19).layer(half.layer("d", 0), states(19).bfloat16())
    assert rough.dtype == torch.bfloat16
    torch.testing.assert_close(rough.float(), whole, atol=0.1, rtol=0.05)


def test_a_layer_gives_its_tensors_back_as_they_are_in_the_file_and_without_copies(lab):
    given = tensors_of(lab)
    weights = lab.family.weights(given, LayerKind())
    back = weights.tensors()
    assert {name: tensor.tolist() for name, tensor in back.items()} == {n: t.tolist() for n, t in given.items()}
    own = {getattr(weights, field).data_ptr(): field for field in ("qkv", "out", "gate_up", "down")}
    sizes = {field: getattr(weights, field).numel() for field in own.values()}
    held = {tensor.untyped_storage().data_ptr() for tensor in back.values() if tensor.ndim == 2}
    assert held == set(own)
    assert sum(tensor.numel() for tensor in back.values() if tensor.ndim == 2) == sum(sizes.values())


def test_a_layer_s_bytes_are_its_tensors(lab):
    lab.bank.layer("d", 1)
    assert lab.bank._resident.size(("d", 1)) == sum(4 * tensor.numel() for tensor in tensors_of(lab).values())


@pytest.mark.parametrize("name", ["self_attn.sinks", "mlp.down_proj.scale"])
def test_a_tensor_that_the_decoder_would_ignore_is_refused(lab, name):
    with pytest.raises(CheckpointError, match=f"missing or unknown {name}$"):
        lab.family.weights({**tensors_of(lab), name: torch.zeros(4)}, LayerKind())


def test_a_tensor_that_is_missing_is_named(lab):
    given = tensors_of(lab)
    for name in [name for name in given if name.startswith("mlp.down")]:
        del given[name]
        with pytest.raises(CheckpointError, match=rf"missing or unknown {name}$"):
            lab.family.weights(given, LayerKind())


def test_of_projections_that_run_as_one_all_have_a_bias_or_none():
    shapes = {"self_attn.q_proj": 8, "self_attn.k_proj": 4, "self_attn.v_proj": 4, "self_attn.o_proj": 8}
    shapes |= {"mlp.gate_proj": 12, "mlp.up_proj": 12, "mlp.down_proj": 8}
    tensors = {f"{name}.weight": torch.ones(rows, 12 if "down" in name else 8) for name, rows in shapes.items()}
    tensors |= {f"{norm}.weight": torch.ones(8) for norm in ("input_layernorm", "post_attention_layernorm")}
    one = {**tensors, "self_attn.q_proj.bias": torch.ones(8)}
    with pytest.raises(CheckpointError, match=r"unknown self_attn\.k_proj\.bias, self_attn\.v_proj\.bias$"):
        PLAIN.layout.pack(one, LayerKind())
    biases = {f"{name}.bias": torch.arange(float(rows)) for name, rows in shapes.items()}
    weights = PLAIN.layout.pack({**tensors, **biases}, LayerKind())
    assert weights.qkv_bias.tolist() == [*range(8), *range(4), *range(4)]
    assert {name: t.tolist() for name, t in weights.tensors().items() if "bias" in name} == {
        name: bias.tolist() for name, bias in biases.items()
    }


def test_gemma_rounds_once_after_its_gain_and_rounds_the_embeddings_factor_first():
    """In bfloat16 the root of 3072, 55.43, is 55.5: https://github.com/huggingface/transformers/pull/29402."""
    stock = Gemma2TextScaledWordEmbedding(5, 3072, 0, embed_scale=3072**0.5).bfloat16()
    embedding, tokens = stock.weight.data, torch.tensor([[3, 1]])
    before = embedding.clone()
    assert torch.equal(looked_up_times_root_width(embedding, tokens), stock(tokens))
    assert torch.equal(embedding, before)
    hidden, gain = torch.tensor([[1.0, 3.0]], dtype=torch.bfloat16), torch.tensor([0.01, 0.02], dtype=torch.bfloat16)
    norm = Gemma2RMSNorm(2, eps=1e-6)
    norm.weight.data = gain
    assert offset_rms_norm(hidden, gain, 1e-6).tolist() == norm(hidden).tolist()
