"""A source folder is opened as transformers would load it, or refused in one clear line."""

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError
from hm3.parameter import specify
from hm3.recipe import Source
from tests.tiny import edit_config, write_checkpoint

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


@pytest.fixture(scope="module")
def single(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("single"))


@pytest.fixture(scope="module")
def sharded(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("sharded"), shard_size="40KB")


@pytest.fixture
def copy(single, tmp_path):
    return Path(shutil.copytree(single, tmp_path / "copy"))


@pytest.fixture
def sharded_copy(sharded, tmp_path):
    return Path(shutil.copytree(sharded, tmp_path / "copy"))


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        Checkpoint.open("math", path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"source math ({path}): ")
    return message


def edit_index(folder: Path, **weight_map: str) -> Path:
    index = json.loads((folder / INDEX).read_text())
    index["weight_map"] |= weight_map
    (folder / INDEX).write_text(json.dumps(index))
    return folder


def header(folder: Path, text: bytes, data: bytes = b"") -> Path:
    (folder / WEIGHTS).write_bytes(len(text).to_bytes(8, "little") + text + data)
    return folder


@pytest.mark.parametrize("kind", ["single", "sharded"])
def test_every_tensor_is_the_file_s(kind, request):
    path = request.getfixturevalue(kind)
    checkpoint = Checkpoint.open("math", path)
    expected = {name: t for file in path.glob("*.safetensors") for name, t in load_file(file).items()}
    assert set(checkpoint.tensor_names) == set(expected)
    assert all(torch.equal(checkpoint.tensor(name), expected[name]) for name in expected)


def test_attributes(single):
    checkpoint = Checkpoint.open("math", single)
    assert (checkpoint.model_type, checkpoint.depth, checkpoint.dtype) == ("llama", 4, torch.bfloat16)
    assert [file.name for file in checkpoint.tokenizer_files] == ["tokenizer.json", "tokenizer_config.json"]
    assert checkpoint.source == Source("math", checkpoint.digest)


def test_an_unknown_tensor_is_named(single):
    with pytest.raises(CheckpointError, match=r"source math .*'nothing'"):
        Checkpoint.open("math", single).tensor("nothing")


def test_the_digest_is_the_content_s(single, sharded, copy):
    digest = Checkpoint.open("a", single).digest
    assert Checkpoint.open("b", copy).digest == digest
    assert Checkpoint.open("c", sharded).digest == digest
    edit_config(copy, transformers_version="0", _name_or_path="elsewhere")
    assert Checkpoint.open("b", copy).digest == digest


@pytest.mark.parametrize("change", ["config", "weight", "tokenizer"])
def test_the_digest_sees(change, copy):
    before = Checkpoint.open("a", copy).digest
    if change == "config":
        edit_config(copy, rms_norm_eps=0.5)
    elif change == "weight":
        tensors = load_file(copy / WEIGHTS)
        tensors["model.norm.weight"][0] += 1
        save_file(tensors, copy / WEIGHTS, metadata={"format": "pt"})
    else:
        (copy / "tokenizer.json").write_text("{}")
    assert Checkpoint.open("a", copy).digest != before


def test_a_merged_source_is_known_by_its_specification(single):
    spec = specify("linear", base=None, parents=[Source("a", "1"), Source("b", "2")], weights=[1, 1])
    assert Checkpoint.open("both", single, spec).source == Source.merged("both", spec)


def test_it_travels_between_processes(single):
    checkpoint = Checkpoint.open("math", single)
    name = checkpoint.tensor_names[0]
    assert torch.equal(pickle.loads(pickle.dumps(checkpoint)).tensor(name), checkpoint.tensor(name))


def test_refuses_what_is_not_there(tmp_path):
    assert "got nothing there" in refusal(tmp_path / "nowhere")
    assert "without config.json" in refusal(tmp_path)


def test_refuses_a_file(single):
    assert "got a file" in refusal(single / "config.json")


def test_refuses_a_folder_without_weights(copy):
    (copy / WEIGHTS).unlink()
    assert "got neither" in refusal(copy)


def test_refuses_pickles(copy):
    (copy / WEIGHTS).rename(copy / "pytorch_model.bin")
    assert "pickles, which can run code (pytorch_model.bin)" in refusal(copy)


def test_ignores_pickles_beside_safetensors(copy):
    (copy / "training_args.bin").write_bytes(b"x")
    Checkpoint.open("math", copy)


def test_refuses_an_adapter(copy):
    (copy / WEIGHTS).unlink()
    (copy / "adapter_config.json").write_text("{}")
    assert "an adapter" in refusal(copy)


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
def test_refuses_remote_code(copy, file):
    (copy / file).write_text(json.dumps(json.loads((copy / file).read_text()) | {"auto_map": {"AutoModel": "x.Y"}}))
    assert f"{file}: no code of its own, got auto_map" in refusal(copy)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "config.json: JSON, got"),
        ("[]", "config.json: a JSON object, got list"),
        ("[" * 100_000, "config.json: JSON, got"),
        ('{"model_type": "llama", "model_type": "llama"}', "the key 'model_type' twice"),
        ('{"num_hidden_layers": 4}', "model_type as text, got None"),
        ('{"model_type": "llama"}', "num_hidden_layers from 1 to the number of tensors, 39, got None"),
        ('{"model_type": "llama", "num_hidden_layers": 1000000000}', "got 1000000000"),
        ('{"model_type": "llama", "num_hidden_layers": true}', "got True"),
        ('{"model_type": "llama", "num_hidden_layers": 4, "quantization_config": {}}', "not quantised"),
    ],
)
def test_refuses_a_config(copy, text, reason):
    (copy / "config.json").write_text(text)
    assert reason in refusal(copy)


@pytest.mark.parametrize("kept", [0, 7, 8, 100, -1])
def test_refuses_a_truncated_file(copy, kept):
    (copy / WEIGHTS).write_bytes((copy / WEIGHTS).read_bytes()[:kept])
    assert WEIGHTS in refusal(copy)


def test_refuses_bytes_after_the_tensors(copy):
    with (copy / WEIGHTS).open("ab") as stream:
        stream.write(b"x")
    assert "truncated or damaged" in refusal(copy)


def test_refuses_an_absurd_header_length(copy):
    (copy / WEIGHTS).write_bytes((2**62).to_bytes(8, "little") + b"{}")
    assert f"got a length of {2**62}" in refusal(copy)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"no", "JSON, got"),
        (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{}}', "the key 'a' twice"),
        (b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}', "tensor 'a' needs"),
        (b'{"a":{"dtype":"OBJECT","shape":[1],"data_offsets":[0,4]}}', "tensor 'a' needs"),
        (b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[4,0]}}', "tensor 'a' needs"),
        (b'{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}', "tensor 'a' needs"),
        (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}', "tensor 'a' needs"),
        (b'{"a":7}', "tensor 'a' needs"),
        (b'{"a":{"dtype":"F32","shape":[0,1000000000000000000000],"data_offsets":[0,0]}}', "tensor 'a' needs"),
        (b'{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}', "tensor 'a' needs"),
        (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"__metadata__":NaN}', "NaN, which is no number"),
        (b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}', "tensor 'a' must start at byte"),
        (b'{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}', "its tensors end at byte"),
    ],
)
def test_refuses_a_header(copy, text, reason):
    assert reason in refusal(header(copy, text, bytes(4)))


def test_refuses_tensors_that_overlap(copy):
    one = b'{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
    assert "must start at byte" in refusal(header(copy, b'{"a":' + one + b',"b":' + one + b"}", bytes(4)))


@pytest.mark.parametrize(
    "shard", ["../other/model.safetensors", "/etc/model.safetensors", "..\\x.safetensors", "x.bin"]
)
def test_refuses_an_index_that_leads_out(sharded_copy, shard):
    assert f"files of this folder, got {shard!r}" in refusal(edit_index(sharded_copy, **{"model.norm.weight": shard}))


def test_refuses_an_index_with_a_missing_shard(sharded_copy):
    next(sharded_copy.glob("model-00002-*")).unlink()
    assert "every file it lists, got no model-00002-" in refusal(sharded_copy)


def test_refuses_an_index_with_a_missing_tensor(sharded_copy):
    shard = next(sharded_copy.glob("model-00001-*")).name
    assert "the tensor 'ghost' that the index lists" in refusal(edit_index(sharded_copy, ghost=shard))


def test_refuses_shards_without_an_index(sharded_copy):
    (sharded_copy / INDEX).unlink()
    assert "shards without an index" in refusal(sharded_copy)


def test_refuses_a_tensor_in_two_shards(sharded_copy):
    first, second = sorted(sharded_copy.glob("*.safetensors"))[:2]
    save_file(load_file(first) | load_file(second), second)
    assert "every tensor in one file, got" in refusal(sharded_copy)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_never_ends_in_anything_but_a_refusal(copy, single, data):
    content = bytearray((single / WEIGHTS).read_bytes())
    length = int.from_bytes(content[:8], "little")
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, length + 8))] = data.draw(st.integers(0, 255))
    (copy / WEIGHTS).write_bytes(content)
    try:
        checkpoint = Checkpoint.open("math", copy)
    except CheckpointError:
        return
    for name in checkpoint.tensor_names:
        try:
            checkpoint.tensor(name)
        except CheckpointError:
            return
