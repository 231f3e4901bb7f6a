"""Layers of other families run in transformers' own modules, with weights that are only lent to them."""

import shutil

import pytest
import torch
from transformers import AutoModelForCausalLM

from hm3.checkpoints import Checkpoint
from hm3.checkpoints.settings import settings_of
from hm3.errors import CheckpointError
from hm3.layers import LayerBank, LayerKind, empty_model, family_of
from hm3.layers.stock_weights import PackedExperts
from tests.tiny import edit_config
from tests.tiny_families import SAMPLES, write_source

CPU = torch.device("cpu")
STOCK = {sample.model_type: sample for sample in SAMPLES if sample.model_type in ("gpt_neox", "gpt2", "mixtral")}
STOCK |= {sample.model_type: sample for sample in SAMPLES if sample.model_type.endswith("_moe")}
SPARSE = ("mixtral", "qwen3_moe", "qwen2_moe")
LENGTH = 20  # more than twice the samples' windows


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    return {name: write_source(folder / name, sample, depth=3, seed=1) for name, sample in STOCK.items()}


@pytest.fixture(params=list(STOCK))
def source(request, sources):
    return sources[request.param]


def bank_of(source, dtype=torch.float32):
    bank = LayerBank(CPU, dtype)
    bank.add("d", source)
    return bank


def states(*, rows=2, length=LENGTH):
    return torch.randn(rows, length, 32, generator=torch.Generator().manual_seed(0))


def tokens(*, rows=3, length=LENGTH):
    return torch.randint(4, 60, (rows, length), generator=torch.Generator().manual_seed(1))


@torch.inference_mode()
def logits_of(bank, source, rows):
    forward = bank.forward("d", LENGTH)
    hidden = forward.begin(bank.embedding("d"), rows)
    for layer in range(source.depth):
        hidden = forward.layer(bank.layer("d", layer), hidden)
    return forward.logits(bank.ending("d"), hidden)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_source_layer_by_layer_is_the_source_to_the_last_bit(source, dtype):
    stock = AutoModelForCausalLM.from_pretrained(source.path, dtype=dtype).eval()
    with torch.inference_mode():
        assert torch.equal(logits_of(bank_of(source, dtype), source, tokens()), stock(tokens()).logits)


def test_rows_of_other_lengths_may_come_in_between(source):
    forward, weights = bank_of(source).forward("d", LENGTH), bank_of(source).layer("d", 1)
    first = forward.layer(weights, states())
    forward.layer(weights, states(length=7))
    assert torch.equal(forward.layer(weights, states()), first)


def test_padding_to_the_right_changes_nothing_at_real_positions(source):
    bank = bank_of(source)
    forward, weights = bank.forward("d", LENGTH), bank.layer("d", 0)
    whole, short = forward.layer(weights, states()), forward.layer(weights, states()[:, :7])
    torch.testing.assert_close(whole[:, :7], short, atol=1e-6, rtol=0)


def test_the_last_layer_is_the_layer_at_answer_positions(source):
    bank = bank_of(source)
    forward, weights = bank.forward("d", LENGTH), bank.layer("d", 2)
    slots, used = torch.tensor([[3, 4, 5], [8, 0, 0]]), torch.tensor([[True, True, True], [True, False, False]])
    whole = forward.layer(weights, states())
    expected = torch.stack([whole[0, 3], whole[0, 4], whole[0, 5], whole[1, 8]])
    assert torch.equal(forward.last_layer(weights, states(), slots, used), expected)


def test_hidden_states_are_left_as_they_were(source):
    bank, hidden = bank_of(source), states()
    bank.forward("d", LENGTH).layer(bank.layer("d", 0), hidden)
    assert torch.equal(hidden, states())


def test_a_layer_computes_with_the_banks_own_memory(source):
    """What a module multiplies with while it is called, and what the bank holds, start at the same byte."""
    bank = bank_of(source)
    forward, weights = bank.forward("d", LENGTH), bank.layer("d", 0)
    forward.layer(weights, states())
    (stage,) = forward._stages.values()
    seen = {}

    def note(name):
        return lambda module, _: seen.update(
            {f"{name}.{key}": each.data_ptr() for key, each in module.named_parameters(recurse=False)}
        )

    for name, module in stage._layer.named_modules():
        module.register_forward_pre_hook(note(name))
    forward.layer(weights, states())
    assert seen == {name: tensor.data_ptr() for name, tensor in weights.tensors().items()}


def test_no_module_keeps_a_weight(source):
    bank = bank_of(source)
    forward = bank.forward("d", LENGTH)
    forward.begin(bank.embedding("d"), tokens())
    forward.layer(bank.layer("d", 0), states())
    assert all(parameter.is_meta for stage in forward._stages.values() for parameter in stage._layer.parameters())
    assert all(parameter.is_meta for stage in forward._stages.values() for parameter in stage._trunk.parameters())


def test_larger_hidden_states_are_normed_as_the_models_own(source):
    """A layer only adds to its input what its norms' outputs give; epsilon would tell the two sizes apart."""
    bank = bank_of(source)
    forward, weights, ending = bank.forward("d", LENGTH), bank.layer("d", 0), bank.ending("d")
    tiny = 1e-3 * states()  # so small that epsilon counts
    torch.testing.assert_close(forward.at(64.0).logits(ending, 64 * tiny), forward.logits(ending, tiny))
    assert not torch.allclose(forward.logits(ending, 64 * tiny), forward.logits(ending, tiny), rtol=1e-3)
    if "self_attn.o_proj.weight" in weights.tensors():  # pre-norm without biases: attention sees the same
        stages = [each._stage(weights.kind) for each in (forward, forward.at(64.0))]
        mine, scaled = (functional(stage, weights.tensors()["input_layernorm.weight"]) for stage in stages)
        torch.testing.assert_close(scaled(64 * tiny), mine(tiny))


def functional(stage, gain):
    norm = stage._layer.input_layernorm
    return lambda hidden: torch.func.functional_call(norm, {"weight": gain}, (hidden,))


# ---------------------------------------------------------------- experts


@pytest.mark.parametrize("family", SPARSE)
def test_experts_are_packed_as_transformers_packs_them(sources, family):
    stock = AutoModelForCausalLM.from_pretrained(sources[family].path, dtype=torch.float32)
    for layer in range(3):
        ours, theirs = bank_of(sources[family]).layer("d", layer).tensors(), stock.model.layers[layer].state_dict()
        assert set(ours) == set(theirs)
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_experts_that_a_file_holds_packed_are_taken_as_they_are(sources, tmp_path):
    source = sources["mixtral"]
    packed = AutoModelForCausalLM.from_pretrained(source.path, dtype=torch.float32)
    packed.save_pretrained(tmp_path / "packed", save_original_format=False)
    again = Checkpoint.open("packed", tmp_path / "packed")
    assert "model.layers.0.mlp.experts.gate_up_proj" in again.tensors
    ours, theirs = bank_of(again).layer("d", 1).tensors(), bank_of(source).layer("d", 1).tensors()
    assert set(ours) == set(theirs)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_an_expert_without_a_projection_is_named():
    half = {"mlp.experts.0.gate_proj.weight": torch.zeros(2, 2), "mlp.experts.0.up_proj.weight": torch.zeros(2, 2)}
    with pytest.raises(CheckpointError, match=r"every projection of every expert, got none of name mlp\.experts\.0\.d"):
        PackedExperts()(half, LayerKind())


def test_another_number_of_experts_than_the_config_says_is_refused(sources):
    bank = bank_of(sources["mixtral"])
    config = {**sources["mixtral"].config, "num_local_experts": 3}
    forward = bank.family("d").forward(config, LENGTH, CPU, torch.float32)
    with pytest.raises(CheckpointError, match=r"layer: mlp\.experts\.down_proj .* \(3, 32, 48\), got \(4, 32, 48\)"):
        forward.layer(bank.layer("d", 0), states())


def test_a_tensor_that_the_layer_would_ignore_is_refused(sources):
    bank = bank_of(sources["gpt2"])
    weights = bank.family("d").weights({**bank.layer("d", 0).tensors(), "odd": torch.zeros(1)}, LayerKind())
    with pytest.raises(CheckpointError, match=r"layer: odd as the host's config describes it, none, got \(1,\)"):
        bank.forward("d", LENGTH).layer(weights, states())


def test_the_kernels_of_experts_give_the_same_logits(sources):
    """One expert after the other, or all at once as stock loading does by default."""
    logits = []
    for kernel in ("eager", "grouped_mm", "batched_mm"):
        stock = AutoModelForCausalLM.from_pretrained(
            sources["qwen3_moe"].path, dtype=torch.float32, experts_implementation=kernel
        )
        with torch.inference_mode():
            logits.append(stock(tokens()).logits)
    assert max(float((each - logits[0]).abs().max()) for each in logits) <= 1e-5


# ---------------------------------------------------------------- edges


def test_rotary_embeddings_that_depend_on_the_text_are_refused(sources):
    config = {**sources["mixtral"].config, "rope_parameters": {"rope_type": "dynamic", "factor": 2.0}}
    family = bank_of(sources["mixtral"]).family("d")
    with pytest.raises(CheckpointError, match="dynamic angles depend on the sequence beyond 256 tokens, got rows of 2"):
        family.forward(config, 257, CPU, torch.float32)


@pytest.mark.parametrize(
    ("family", "setting", "value"),
    [
        ("gpt2", "scale_attn_by_inverse_layer_idx", True),
        ("gpt2", "add_cross_attention", True),
    ],
)
def test_settings_that_bind_a_layer_to_its_place_are_refused(sources, tmp_path, family, setting, value):
    folder = shutil.copytree(sources[family].path, tmp_path / "model")
    edit_config(folder, **{setting: value})
    with pytest.raises(CheckpointError, match=f"source x: {family} needs {setting}="):
        family_of("x", Checkpoint.open("x", folder).config)


@pytest.mark.parametrize("family", ["gemma3_text", "gpt_neox", "llama"])
def test_an_empty_model_has_what_no_file_holds(family):
    """Rotary tables, the scale of Gemma's embedding: with all weights read, nothing else is left to fill in."""
    sample = next(sample for sample in SAMPLES if sample.model_type == family)
    shape = {"hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "vocab_size": 64}
    settings = settings_of({"model_type": family, "num_hidden_layers": 2, **shape, **sample.settings(2)})
    empty = empty_model(settings, CPU, torch.float32)
    assert all(parameter.is_meta for parameter in empty.parameters())
    whole = AutoModelForCausalLM.from_config(settings, dtype=torch.float32)
    theirs = dict(whole.named_buffers())
    assert theirs
    assert {name: each.tolist() for name, each in empty.named_buffers()} == {k: v.tolist() for k, v in theirs.items()}
