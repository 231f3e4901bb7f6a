"""Sources that do not fit together are refused with source, field and both values."""

import json
import shutil
from pathlib import Path

import pytest

from hm3.checkpoints import Checkpoint, check_compatible
from hm3.errors import CheckpointError, ConfigurationError
from tests.tiny import edit_config, write_checkpoint


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return Checkpoint.open("base", write_checkpoint(tmp_path_factory.mktemp("base")))


@pytest.fixture
def other(base, tmp_path):
    return Path(shutil.copytree(base.path, tmp_path / "other"))


def edit_tokenizer(folder, edit):
    file = folder / "tokenizer.json"
    tokenizer = json.loads(file.read_text())
    edit(tokenizer)
    file.write_text(json.dumps(tokenizer))
    return Checkpoint.open("math", folder)


def test_equal_sources_pass(base, other):
    assert check_compatible([base, Checkpoint.open("math", other)]) == []


def test_depth_may_differ(base, tmp_path):
    assert check_compatible([base, Checkpoint.open("deep", write_checkpoint(tmp_path / "deep", depth=6))]) == []


def test_what_a_config_leaves_out_is_what_transformers_derives(base, other):
    edit_config(other, head_dim=None, attention_bias=None, rope_parameters=None, rope_theta=10000.0)
    assert check_compatible([base, Checkpoint.open("math", other)]) == []


@pytest.mark.parametrize("on_mismatch", ["refuse", "host"])
@pytest.mark.parametrize(
    ("field", "value", "ours"),
    [
        ("model_type", "mistral", "'llama'"),
        ("hidden_size", 64, "32"),
        ("num_attention_heads", 8, "4"),
        ("num_key_value_heads", 4, "2"),
        ("head_dim", 16, "8"),
        ("intermediate_size", 128, "64"),
        ("vocab_size", 256, "128"),
    ],
)
def test_refuses_other_shapes_always(base, other, field, value, ours, on_mismatch):
    source = Checkpoint.open("math", edit_config(other, **{field: value}))
    with pytest.raises(CheckpointError, match=f"source math: {field} must equal that of base, {ours}, got {value!r}"):
        check_compatible([base, source], on_mismatch)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("rms_norm_eps", {"rms_norm_eps": 1e-5}),
        ("sliding_window", {"sliding_window": 8}),
        ("rope", {"rope_parameters": {"rope_theta": 1e6, "rope_type": "default"}}),
    ],
)
def test_other_scalars_are_refused_or_warned_of(base, other, field, changes):
    source = Checkpoint.open("math", edit_config(other, **changes))
    with pytest.raises(CheckpointError, match=f"source math: {field} must equal that of base, .*on_mismatch=host"):
        check_compatible([base, source])
    (warning,) = check_compatible([base, source], "host")
    assert warning.startswith(f"source math: {field} must equal that of base")


def test_a_window_that_is_switched_off_does_not_matter(base, other):
    edit_config(other, sliding_window=8, use_sliding_window=False)
    assert check_compatible([base, Checkpoint.open("math", other)]) == []


def test_refuses_an_unknown_policy(base):
    with pytest.raises(ConfigurationError, match="on_mismatch: refuse or host, got 'hots'"):
        check_compatible([base], "hots")


@pytest.mark.parametrize("on_mismatch", ["refuse", "host"])
def test_refuses_another_vocabulary_always(base, other, on_mismatch):
    source = edit_tokenizer(other, lambda tokenizer: tokenizer["model"]["vocab"].pop("a"))
    with pytest.raises(CheckpointError, match=r"source math: tokenizer \(vocab\) must equal that of base, 128 entries"):
        check_compatible([base, source], on_mismatch)


def test_another_normalizer_is_refused_or_warned_of(base, other):
    source = edit_tokenizer(other, lambda tokenizer: tokenizer.update(normalizer={"type": "NFKC"}))
    with pytest.raises(CheckpointError, match=r"tokenizer \(normalizer\)"):
        check_compatible([base, source])
    assert len(check_compatible([base, source], "host")) == 1


def test_padding_of_batches_does_not_matter(base, other):
    source = edit_tokenizer(other, lambda tokenizer: tokenizer.update(truncation={"max_length": 3}))
    assert check_compatible([base, source]) == []


def test_refuses_a_missing_tokenizer(base, other):
    (other / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"tokenizer \(vocab\).* got None"):
        check_compatible([base, Checkpoint.open("math", other)])


def test_a_damaged_tokenizer_names_its_source(base, other):
    (other / "tokenizer.json").write_text("{")
    with pytest.raises(CheckpointError, match=r"source math: tokenizer.json: JSON, got"):
        check_compatible([base, Checkpoint.open("math", other)])
