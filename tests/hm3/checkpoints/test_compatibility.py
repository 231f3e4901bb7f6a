"""Sources that do not fit together are refused with source, field and both values."""

import json
import shutil
from pathlib import Path

import pytest

from hm3.checkpoints import Checkpoint, check_compatible, check_loading
from hm3.errors import CheckpointError, ConfigurationError
from tests.tiny import edit_config, write_checkpoint

MOE = {"num_experts": 4, "moe_intermediate_size": 16, "num_experts_per_tok": 2}
GPT2 = {"n_embd": 32, "n_head": 4, "n_layer": 4, "n_positions": 64, "vocab_size": 128}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return Checkpoint.open("base", write_checkpoint(tmp_path_factory.mktemp("base")))


@pytest.fixture
def other(base, tmp_path):
    return Path(shutil.copytree(base.path, tmp_path / "other"))


@pytest.fixture(scope="module")
def of_family(tmp_path_factory):
    """A source of any family: made once, weights and all."""
    made = {}

    def source(family):
        if family not in made:
            settings = {"qwen3_moe": MOE, "mixtral": {"num_local_experts": 4}, "gpt2": GPT2}.get(family)
            path = write_checkpoint(tmp_path_factory.mktemp(family), family=family, settings=settings)
            made[family] = Checkpoint.open("base", path)
        return made[family]

    return source


def edited(base, folder, **changes):
    """The base with another config."""
    return Checkpoint.open("math", edit_config(Path(shutil.copytree(base.path, folder)), **changes))


def test_equal_sources_pass(base, other):
    assert check_compatible([base, Checkpoint.open("math", other)]) == []


def test_depth_may_differ(base, tmp_path):
    assert check_compatible([base, Checkpoint.open("deep", write_checkpoint(tmp_path / "deep", depth=6))]) == []


def test_padded_vocabularies_of_one_tokenizer_pass(base, tmp_path):
    padded = write_checkpoint(tmp_path / "padded", settings={"vocab_size": 160})
    shutil.copy(base.path / "tokenizer.json", padded)
    assert check_compatible([base, Checkpoint.open("padded", padded)]) == []


def test_what_a_config_leaves_out_is_what_transformers_derives(base, other):
    edit_config(other, head_dim=None, attention_bias=None, rope_parameters=None, rope_theta=10000.0)
    assert check_compatible([base, Checkpoint.open("math", other)]) == []


@pytest.mark.parametrize("on_mismatch", ["refuse", "host"])
@pytest.mark.parametrize(
    ("family", "field", "value", "ours"),
    [
        ("llama", "model_type", "mistral", "'llama'"),
        ("llama", "hidden_size", 64, "32"),
        ("llama", "num_attention_heads", 8, "4"),
        ("llama", "num_key_value_heads", 4, "2"),
        ("llama", "head_dim", 16, "8"),
        ("llama", "intermediate_size", 128, "64"),
        ("llama", "attention_bias", True, "False"),
        ("llama", "hidden_act", "gelu", "'silu'"),
        ("gemma2", "hidden_activation", "silu", "'gelu_pytorch_tanh'"),
        ("gpt2", "n_embd", 64, "32"),
        ("gpt2", "n_inner", 64, "None"),
        ("gpt2", "activation_function", "relu", "'gelu_new'"),
        ("gpt_neox", "use_parallel_residual", False, "True"),
        ("mixtral", "num_local_experts", 8, "4"),
        ("qwen3_moe", "moe_intermediate_size", 32, "16"),
    ],
)
def test_refuses_other_shapes_always(of_family, tmp_path, family, field, value, ours, on_mismatch):
    base = of_family(family)
    source = edited(base, tmp_path / "other", **{field: value})
    with pytest.raises(CheckpointError) as caught:
        check_compatible([base, source], on_mismatch)
    assert str(caught.value) == f"source math: {field} must equal that of base, {ours}, got {value!r}"


V5 = {"rope_theta": 1e6, "rope_type": "default"}
YARN = {"rope_theta": 10000.0, "rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 128}
GEMMA = {"sliding_attention": {"rope_theta": 1e4, "rope_type": "default"}, "full_attention": V5 | {"rope_theta": 1e5}}
SCALARS = {
    "epsilon": ("llama", {"rms_norm_eps": 1e-5}, ("rms_norm_eps", "1e-06", "1e-05")),
    "version 5's base": ("llama", {"rope_parameters": V5}, ("rope_theta", "10000.0", "1000000.0")),
    "version 4's base": ("qwen2", {"rope_parameters": None, "rope_theta": 1e6}, ("rope_theta", "10000.0", "1000000.0")),
    "scaled": ("llama", {"rope_parameters": YARN}, ("rope_type", "'default'", "'yarn'")),
    "version 4's scaling": (
        "llama",
        {"rope_scaling": {"type": "linear", "factor": 2.0}},
        ("rope_type", "'default'", "'linear'"),
    ),
    "one kind of attention": (
        "gemma3_text",
        {"rope_parameters": GEMMA},
        ("full_attention.rope_theta", "1000000.0", "100000.0"),
    ),
    "window": ("mistral", {"sliding_window": 8}, ("sliding_window", "4096", "8")),
    "cap": ("gemma2", {"final_logit_softcapping": 20.0}, ("final_logit_softcapping", "30.0", "20.0")),
    "query": ("gemma2", {"query_pre_attn_scalar": 64}, ("query_pre_attn_scalar", "256", "64")),
    "GPT-2's epsilon": ("gpt2", {"layer_norm_epsilon": 1e-6}, ("layer_norm_epsilon", "1e-05", "1e-06")),
    "NeoX's rotary share": (
        "gpt_neox",
        {"rope_parameters": None, "rotary_pct": 0.5},
        ("partial_rotary_factor", "0.25", "0.5"),
    ),
    "NeoX's base": (
        "gpt_neox",
        {"rope_parameters": None, "rotary_emb_base": 5000},
        ("rope_theta", "10000.0", "5000"),
    ),
    "experts in use": ("qwen3_moe", {"num_experts_per_tok": 3}, ("num_experts_per_tok", "2", "3")),
    "router": ("qwen3_moe", {"norm_topk_prob": True}, ("norm_topk_prob", "False", "True")),
}


@pytest.mark.parametrize("case", SCALARS)
def test_other_scalars_are_refused_or_warned_of(of_family, tmp_path, case):
    family, changes, (field, ours, theirs) = SCALARS[case]
    base, told = of_family(family), f"{field} must equal that of base, {ours}, got {theirs}"
    source = edited(base, tmp_path / "other", **changes)
    with pytest.raises(CheckpointError) as caught:
        check_compatible([base, source])
    assert str(caught.value) == f"source math: {told}; on_mismatch=host would use the host's for every layer"
    warnings = check_compatible([base, source], "host")
    assert f"source math: {told}; the host's is used for every layer" in warnings


NEUTRAL = {
    "training": ("llama", {"initializer_range": 0.5, "attention_dropout": 0.1, "use_cache": False}),
    "labels": ("llama", {"id2label": {"0": "x"}}),
    "longest input": ("llama", {"max_position_embeddings": 512}),
    "tokens": ("llama", {"eos_token_id": [2, 3], "pad_token_id": None}),
    "unknown": ("llama", {"unsloth_fixed": True, "sliding_window": 8}),
    "window that is off": ("qwen2", {"sliding_window": 8, "use_sliding_window": False}),
    "router's training": ("qwen3_moe", {"router_aux_loss_coef": 0.5}),
    "GPT-2's dropout": ("gpt2", {"resid_pdrop": 0.0, "summary_type": "mean"}),
}


@pytest.mark.parametrize("case", NEUTRAL)
def test_what_changes_no_logit_does_not_matter(of_family, tmp_path, case):
    family, changes = NEUTRAL[case]
    base = of_family(family)
    assert check_compatible([base, edited(base, tmp_path / "other", **changes)]) == []


def test_the_trained_length_matters_where_frequencies_are_stretched_to_it(base, tmp_path):
    yarn = {"rope_parameters": {"rope_theta": 1e4, "rope_type": "yarn", "factor": 2.0}}
    one = edited(base, tmp_path / "one", **yarn)
    two = edited(base, tmp_path / "two", **yarn, max_position_embeddings=512)
    with pytest.raises(CheckpointError, match="max_position_embeddings must equal that of math, 256, got 512"):
        check_compatible([one, two])


def test_a_config_that_transformers_refuses_is_one_line(base, other):
    source = Checkpoint.open("math", edit_config(other, rms_norm_eps="small"))
    with pytest.raises(CheckpointError) as caught:
        check_compatible([base, source])
    assert str(caught.value).startswith(f"source math ({other}): config.json: what transformers' llama reads, got ")
    assert "expected float, got str" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_comparing_and_checking_change_nothing_in_a_config(base, tmp_path):
    changes = {"rope_scaling": {"type": "linear", "factor": 2.0}, "rope_theta": 5e5, "rope_parameters": None}
    source = edited(base, tmp_path / "other", **changes)
    before = json.dumps(source.config)
    check_compatible([base, source], "host")
    check_loading(source)
    assert json.dumps(source.config) == before


def test_refuses_an_unknown_policy(base):
    with pytest.raises(ConfigurationError, match="on_mismatch: refuse or host, got 'hots'"):
        check_compatible([base], "hots")


def test_refuses_more_tokens_than_rows(tmp_path):
    path = write_checkpoint(tmp_path / "few", settings={"vocab_size": 100})
    with pytest.raises(CheckpointError) as caught:
        check_compatible([Checkpoint.open("few", path)])
    assert str(caught.value) == (
        "source few: vocab_size of few at least the tokens of few's tokenizer, 128 (the last is '<extra28>'), got 100"
    )


def test_a_damaged_tokenizer_names_its_source(base, other):
    (other / "tokenizer.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"source math .*: tokenizer.json: JSON, got"):
        check_compatible([base, Checkpoint.open("math", other)])


def test_every_field_of_every_family_is_known():
    """A field that a new version of transformers adds is a scalar until somebody has thought about it."""
    from hm3.checkpoints import fields
    from hm3.checkpoints.meaning import _read_by

    scalars = {
        family: set(_read_by(family)) - set(fields.FIXED) - set(fields.LENGTHS) - set(fields.UNSTATED)
        for family in ("llama", "qwen2", "qwen3", "phi3", "olmo2", "gpt_neox", "gpt2", "smollm3")
    }
    assert scalars == {
        "llama": {"rms_norm_eps", "rope_parameters"},
        "qwen2": {"rms_norm_eps", "rope_parameters", "sliding_window"},
        "qwen3": {"rms_norm_eps", "rope_parameters", "sliding_window"},
        "phi3": {"rms_norm_eps", "rope_parameters", "sliding_window"},
        "olmo2": {"rms_norm_eps", "rope_parameters"},
        "gpt_neox": {"layer_norm_eps", "rope_parameters"},
        "gpt2": {"layer_norm_epsilon", "reorder_and_upcast_attn"},
        "smollm3": {"rms_norm_eps", "rope_parameters", "sliding_window"},
    }
