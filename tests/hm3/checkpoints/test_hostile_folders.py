"""A checkpoint's folder may come from anybody: nothing in it runs, and nothing absurd is allocated."""

import ast
import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch

import hm3
from hm3.checkpoints import Checkpoint, check_compatible, check_loading
from hm3.errors import CheckpointError, ConfigurationError
from hm3.evaluation import Prompts
from hm3.evaluation.reading import tokenizer_in
from hm3.layers import LayerBank
from hm3.model_folder import write_model
from hm3.recipe import Recipe
from hm3.stacks import assemble
from tests.tiny import edit_config, write_checkpoint

CODE = "from pathlib import Path\nPath({marker!r}).touch()\nclass Own:\n    pass\n"
MODULES = (
    "modeling_own.py",
    "configuration_own.py",
    "tokenization_own.py",
    "__init__.py",
    "custom_generate/generate.py",
)
PICKLES = ("pytorch_model.bin", "training_args.bin", "optimizer.pt", "scheduler.pt", "model.pkl", "rng_state.pth")


class Bomb:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (self.marker,)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("sound"), depth=2)


@pytest.fixture
def folder(sound, tmp_path):
    return Path(shutil.copytree(sound, tmp_path / "source"))


@pytest.fixture
def marker(folder, tmp_path):
    """A file that comes into being when anything that was planted in the folder runs."""
    marker = tmp_path / "marker"
    for name in MODULES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(CODE.format(marker=str(marker)))
    for name in PICKLES:
        (folder / name).write_bytes(pickle.dumps(Bomb(marker)))
    return marker


def refusal(folder):
    with pytest.raises(CheckpointError) as caught:
        used(folder, folder.parent / "out")
    message = str(caught.value)
    assert "\n" not in message
    assert message.isprintable()
    return message.removeprefix(f"source math ({folder}): ")


def used(folder, out):
    """All that a run does with a source."""
    source = Checkpoint.open("math", folder)
    check_loading(source)
    check_compatible([source])
    tokenizer_in(folder)
    recipe = Recipe.identity(source.source, source.depth)
    bank = LayerBank(torch.device("cpu"), torch.float32)
    bank.add(source.digest, source)
    assemble(recipe, bank).generate(torch.tensor([[1, 40]]), max_new_tokens=2)
    return write_model(out, recipe, {"math": source}, "a card")


def merged(file, **changes):
    value = json.loads(file.read_text()) if file.is_file() else {}
    file.write_text(json.dumps({**value, **changes}))


def test_the_traps_are_live(folder, marker):
    """What the other tests find untouched does run where somebody lets it."""
    pickle.loads((folder / "pytorch_model.bin").read_bytes())
    assert marker.is_file()


def test_code_and_pickles_beside_a_sound_checkpoint_never_run(folder, marker, tmp_path):
    written = used(folder, tmp_path / "out")
    assert not marker.exists()
    assert {path.suffix for path in written.iterdir()} <= {".json", ".safetensors", ".md", ".yaml"}


CONFIGS = ("config.json", "tokenizer_config.json", "generation_config.json", "processor_config.json")
MAPS = {
    "AutoConfig": "configuration_own.Own",
    "AutoModelForCausalLM": "modeling_own.Own",
    "AutoTokenizer": ["x.Y", None],
}


@pytest.mark.parametrize("file", [*CONFIGS, "preprocessor_config.json"])
def test_a_map_to_code_of_its_own_is_refused(folder, marker, file):
    merged(folder / file, auto_map=MAPS)
    assert refusal(folder).startswith(f"{file}: no code of its own, got auto_map (")
    assert not marker.exists()


HIDDEN = {
    "in another config": {"text_config": {"model_type": "llama", "auto_map": MAPS}},
    "in a list": {"parts": [{"auto_map": MAPS}]},
    "pipelines": {"custom_pipelines": {"text-generation": {"impl": "modeling_own.Own"}}},
    "a wish": {"trust_remote_code": True},
}


@pytest.mark.parametrize("case", HIDDEN)
def test_code_is_found_wherever_a_config_asks_for_it(folder, marker, case):
    merged(folder / "config.json", **HIDDEN[case])
    assert refusal(folder).startswith("config.json: no code of its own, got ")
    assert not marker.exists()


@pytest.mark.parametrize(
    "key", ["attn_implementation", "_attn_implementation", "_attn_implementation_internal", "experts_implementation"]
)
@pytest.mark.parametrize("value", ["org/kernel", "org/kernel@v1:f", "flash_attention_2", {"": "org/kernel"}])
def test_kernels_of_the_hub_are_refused(folder, key, value):
    """Transformers would fetch and run them while it builds the model."""
    merged(folder / "config.json", **{key: value})
    assert refusal(folder).startswith(f"config.json: {key} eager or sdpa, got ")


def test_pickles_alone_are_refused(folder, marker):
    (folder / "model.safetensors").unlink()
    assert refusal(folder).startswith("weights: safetensors, got pickles, which can run code (")
    assert not marker.exists()


def test_a_pickle_that_is_called_safetensors_is_refused(folder, marker):
    shutil.copy(folder / "pytorch_model.bin", folder / "model.safetensors")
    assert refusal(folder).startswith("model.safetensors: ")
    assert not marker.exists()


def test_an_index_to_a_pickle_is_refused(folder, marker):
    (folder / "model.safetensors").unlink()
    weight_map = {"model.norm.weight": "pytorch_model.bin"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    assert refusal(folder) == "model.safetensors.index.json: safetensors files of this folder, got 'pytorch_model.bin'"
    assert not marker.exists()


LARGEST = " from 1 to the size of the largest tensor, 4096"
NUMBERS = {
    "layers": ({"num_hidden_layers": 10**9}, "num_hidden_layers from 1 to the number of tensors, 21, got 1000000000"),
    "width": ({"hidden_size": 10**12}, f"hidden_size{LARGEST}, got 1000000000000"),
    "below zero": ({"hidden_size": -32}, f"hidden_size{LARGEST}, got -32"),
    "text": ({"hidden_size": "32"}, f"hidden_size{LARGEST}, got '32'"),
    "rows": ({"vocab_size": 10**12}, f"vocab_size{LARGEST}, got 1000000000000"),
    "no heads": ({"num_attention_heads": 0}, f"num_attention_heads{LARGEST}, got 0"),
    "odd heads": (
        {"num_key_value_heads": 3},
        "num_attention_heads as a multiple of num_key_value_heads, 3, got 4",
    ),
    "beyond all": ({"hidden_size": 10**300}, f"hidden_size as a number of at most {2**53}, got 1000"),
    "length": ({"max_position_embeddings": -1}, f"max_position_embeddings from 1 to {2**31}, got -1"),
    "labels": ({"num_labels": 10**9}, "num_labels from 1 to 100000, got 1000000000"),
    "experts": ({"num_local_experts": 10**9}, f"num_local_experts{LARGEST}, got 1"),
    "layers apart": ({"per_layer_config": {"0": {"hidden_size": 8}}}, "one shape for all layers, got per_layer_config"),
}  # fmt: skip


@pytest.mark.parametrize("case", NUMBERS)
def test_absurd_numbers_are_refused_before_anything_is_built(folder, case):
    changes, told = NUMBERS[case]
    with pytest.raises(CheckpointError) as caught:
        Checkpoint.open("math", edit_config(folder, **changes))
    assert str(caught.value).startswith(f"source math ({folder}): config.json: {told}")


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(folder, word):
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace("1e-06", word))
    assert refusal(folder) == f"config.json: JSON, got {word}, which is no number"


def test_a_number_too_large_to_be_one_is_refused(folder):
    text = (folder / "config.json").read_text()
    (folder / "config.json").write_text(text.replace("1e-06", "1e999"))
    assert refusal(folder) == f"config.json: rms_norm_eps as a number of at most {2**53}, got inf"


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"])
def test_a_file_of_terabytes_is_not_read(folder, file):
    with (folder / file).open("wb") as stream:
        stream.truncate(10**12)
    assert f"{file}: at most 256000000 bytes, got 1000000000000" in refusal(folder)


@pytest.mark.parametrize("file", ["tokenizer.json", "chat_template.jinja", "config.json", "generation_config.json"])
def test_a_link_to_somebody_s_file_is_not_followed(folder, tmp_path, file):
    """It would end up in the exported model, for all to read."""
    secret = tmp_path / "private" / "key"
    secret.parent.mkdir()
    secret.write_text((folder / file).read_text() if (folder / file).is_file() else "{}")
    (folder / file).unlink(missing_ok=True)
    (folder / file).symlink_to(secret)
    assert refusal(folder) == f"{file}: a file of this folder, got a link to {secret}"


def test_links_of_the_hub_s_cache_are_followed(sound, tmp_path):
    snapshot, blobs = (tmp_path / "models--org--name" / name for name in ("snapshots/abc", "blobs"))
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for number, file in enumerate(sorted(sound.iterdir())):
        shutil.copy(file, blobs / str(number))
        (snapshot / file.name).symlink_to(Path("..") / ".." / "blobs" / str(number))
    used(snapshot, tmp_path / "out")


def test_weights_may_be_a_link(folder, tmp_path):
    shutil.move(folder / "model.safetensors", tmp_path / "weights")
    (folder / "model.safetensors").symlink_to(tmp_path / "weights")
    used(folder, tmp_path / "out")


TEMPLATES = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.system('touch MARKER') }}",
    "{{ messages.append(1) }}",
    "{% include '/etc/hostname' %}",
)


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_chat_template_stays_in_its_sandbox(folder, marker, template):
    (folder / "chat_template.jinja").write_text(template.replace("MARKER", str(marker)))
    render = Prompts(apply_chat_template=True).with_template(tokenizer_in(folder))["chat_template"]
    with pytest.raises(ConfigurationError, match="a template that renders the items, got "):
        render([{"role": "user", "content": "hello"}])
    assert not marker.exists()


def calls():
    """Every call in HM3's own code, by file and line."""
    root = Path(hm3.__file__).parents[1]
    for file in sorted(path for part in ("hm3", "envs", "agents", "scripts") for path in (root / part).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                yield f"{file.relative_to(root)}:{node.lineno}", node


def test_no_call_asks_for_remote_code_or_takes_the_wish_from_anywhere():
    loaders = 0
    for place, call in calls():
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        loaders += name in ("from_pretrained", "from_config", "HFLM", "simple_evaluate")
        for keyword in call.keywords:
            if keyword.arg == "trust_remote_code":
                assert isinstance(keyword.value, ast.Constant), place
                assert keyword.value.value is False, place
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            wish = isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            assert not (wish and "trust_remote_code=" in argument.value), place
    assert loaders > 5


def test_no_setting_speaks_of_remote_code():
    conf = Path(hm3.__file__).parents[1] / "conf"
    assert not [file for file in conf.rglob("*.yaml") if "trust_remote_code" in file.read_text()]
