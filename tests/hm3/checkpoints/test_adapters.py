"""A LoRA adapter becomes the checkpoint that peft itself would make of it, or is refused with the reason."""

import shutil
import warnings

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from hm3.checkpoints import Adapter, Checkpoint, is_adapter, merged_adapter
from hm3.errors import CheckpointError
from tests.tiny import write_checkpoint, write_tokenizer
from tests.tiny_adapters import edit_adapter, write_adapter

WEIGHTS = "adapter_model.safetensors"
KINDS = {
    "plain": {},
    "rank-stabilised": {"use_rslora": True},
    "ranks and alphas of their own": {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"layers.1.*v_proj": 32}},
    "some layers": {"layers_to_transform": [1, 3]},
    "targets by expression": {"target_modules": r".*\.(up|gate)_proj"},
    "all linear": {"target_modules": "all-linear"},
    "whole modules": {"modules_to_save": ["lm_head", "norm"]},
    "orthogonal start": {"init_lora_weights": "orthogonal"},
}


@pytest.fixture(scope="module", params=[torch.float32, torch.bfloat16], ids=str)
def any_base(request, tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("base"), dtype=request.param)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("base"))


def opened(path):
    return Checkpoint.open("base", path)


def by_peft(base, adapter):
    """peft's own result in float32."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        return PeftModel.from_pretrained(model, adapter).merge_and_unload().state_dict()


def check_near(ours, theirs):
    """Up to float32's own rounding, which in few places tips the one to bfloat16."""
    if ours.dtype == torch.float32:
        assert torch.allclose(ours, theirs, rtol=1e-7, atol=1e-7)
    else:
        assert (ours != theirs.to(ours.dtype)).float().mean() <= 1e-3


@pytest.mark.parametrize("kind", KINDS)
def test_the_merge_is_pefts_own(any_base, tmp_path, kind):
    adapter = write_adapter(tmp_path / "adapter", any_base, **KINDS[kind])
    merged = Checkpoint.open(
        "chat", merged_adapter(Adapter.open("chat", adapter), opened(any_base), tmp_path / "cache")
    )
    theirs, before = by_peft(any_base, adapter), opened(any_base)
    assert set(merged.tensor_names) == set(before.tensor_names) == set(theirs)
    for name in merged.tensor_names:
        assert merged.tensor(name).dtype == before.tensor(name).dtype
        check_near(merged.tensor(name), theirs[name])
    changed = [name for name in before.tensor_names if not torch.equal(merged.tensor(name), before.tensor(name))]
    assert changed
    assert len(changed) < len(before.tensor_names)


def test_the_merge_is_a_checkpoint_that_transformers_loads(base, tmp_path):
    adapter = Adapter.open("chat", write_adapter(tmp_path / "adapter", base))
    folder = merged_adapter(adapter, opened(base), tmp_path / "cache")
    assert AutoModelForCausalLM.from_pretrained(folder).config.num_hidden_layers == 4
    assert (
        AutoTokenizer.from_pretrained(folder)("1+1")["input_ids"]
        == AutoTokenizer.from_pretrained(base)("1+1")["input_ids"]
    )


def test_a_merge_is_built_once_and_found_by_content(base, tmp_path):
    adapter = write_adapter(tmp_path / "adapter", base)
    first = merged_adapter(Adapter.open("chat", adapter), opened(base), tmp_path / "cache")
    moved = shutil.copytree(adapter, tmp_path / "moved")
    edit_adapter(moved, base_model_name_or_path="somewhere/else", inference_mode=False)
    assert merged_adapter(Adapter.open("talk", moved), opened(base), tmp_path / "cache") == first
    edit_adapter(moved, lora_alpha=16)
    assert merged_adapter(Adapter.open("chat", moved), opened(base), tmp_path / "cache") != first
    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_lost_merge_is_built_again_with_the_same_digest(base, tmp_path):
    adapter = Adapter.open("chat", write_adapter(tmp_path / "adapter", base))
    digests = [
        Checkpoint.open("chat", merged_adapter(adapter, opened(base), tmp_path / cache)).digest
        for cache in ("one", "two")
    ]
    assert digests[0] == digests[1] != opened(base).digest


def test_a_tokenizer_beside_the_adapter_is_the_merges(base, tmp_path):
    adapter = write_adapter(tmp_path / "adapter", base)
    write_tokenizer(adapter)
    (adapter / "chat_template.jinja").write_text("{{ messages[0].content }}")
    folder = merged_adapter(Adapter.open("chat", adapter), opened(base), tmp_path / "cache")
    assert AutoTokenizer.from_pretrained(folder).chat_template == "{{ messages[0].content }}"


def test_an_adapter_is_told_from_a_checkpoint(base, tmp_path):
    assert not is_adapter(base)
    assert is_adapter(write_adapter(tmp_path / "adapter", base))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"use_dora": True}, "plain LoRA, got use_dora=True"),
        ({"peft_type": "IA3"}, "peft_type LORA, got 'IA3'"),
        ({"bias": "all"}, "bias none, got 'all'"),
        ({"lora_bias": True}, "plain LoRA, got lora_bias=True"),
        ({"init_lora_weights": "pissa"}, "an adapter that leaves its base as it is, got init_lora_weights 'pissa'"),
        ({"layer_replication": [[0, 4], [2, 5]]}, "plain LoRA, got layer_replication"),
        ({"trainable_token_indices": [3]}, "plain LoRA, got trainable_token_indices"),
        ({"a_kind_of_tomorrow": 1}, "plain LoRA, got a_kind_of_tomorrow=1"),
    ],
)
def test_other_kinds_are_refused_with_the_reason(base, tmp_path, changes, reason):
    adapter = edit_adapter(write_adapter(tmp_path / "adapter", base), **changes)
    with pytest.raises(CheckpointError, match=r"source chat .*adapter_config.json: ") as caught:
        Adapter.open("chat", adapter)
    assert reason in str(caught.value)


def test_a_pickled_adapter_is_refused(base, tmp_path):
    adapter = write_adapter(tmp_path / "adapter", base)
    (adapter / WEIGHTS).rename(adapter / "adapter_model.bin")
    with pytest.raises(CheckpointError, match=f"{WEIGHTS}: a file, got none"):
        Adapter.open("chat", adapter)


def lost(tensors):
    tensors.pop(next(name for name in tensors if "lora_B" in name))


def foreign(tensors):
    tensors["base_model.model.model.embed_tokens.weight"] = torch.zeros(130, 32)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lost, "a tensor base_model.model.*lora_B.weight, got none"),
        (foreign, "tensors of its target modules only, got .*embed"),
    ],
)
def test_tensors_that_do_not_fit_the_config_are_refused(base, tmp_path, damage, reason):
    adapter = write_adapter(tmp_path / "adapter", base)
    tensors = load_file(adapter / WEIGHTS)
    damage(tensors)
    save_file(tensors, adapter / WEIGHTS)
    with pytest.raises(CheckpointError, match=reason):
        merged_adapter(Adapter.open("chat", adapter), opened(base), tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_an_adapter_of_another_base_is_refused(base, tmp_path):
    adapter = Adapter.open("chat", write_adapter(tmp_path / "adapter", base))
    wide = opened(write_checkpoint(tmp_path / "wide", width=64))
    with pytest.raises(CheckpointError, match=r"q_proj.lora_A.weight of the shape .* \[4, 64\], got \[4, 32\]"):
        merged_adapter(adapter, wide, tmp_path / "cache")
    shallow = opened(write_checkpoint(tmp_path / "shallow", depth=2))
    with pytest.raises(CheckpointError, match=r"tensors of its target modules only, got .*layers.2"):
        merged_adapter(adapter, shallow, tmp_path / "cache")


def test_targets_that_the_base_lacks_are_named(base, tmp_path):
    adapter = edit_adapter(write_adapter(tmp_path / "adapter", base), target_modules=["query_key_value"])
    with pytest.raises(CheckpointError, match=r"targets that its base has, got .*query_key_value"):
        merged_adapter(Adapter.open("chat", adapter), opened(base), tmp_path / "cache")


def test_a_head_that_is_the_embedding_cannot_be_changed_alone(tmp_path):
    tied = write_checkpoint(tmp_path / "tied", tied=True)
    adapter = write_adapter(tmp_path / "adapter", tied, modules_to_save=["lm_head"])
    with pytest.raises(CheckpointError, match=r"got lm_head.weight"):
        merged_adapter(Adapter.open("chat", adapter), opened(tied), tmp_path / "cache")
