"""What is written is loaded by stock transformers; a target is whole or absent, and sources are never touched."""

import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from hm3.checkpoints import Checkpoint, Computed, Copied, write_atomic, write_checkpoint
from hm3.checkpoints.dtypes import NAMES
from hm3.errors import OutputError
from tests import tiny

ROOT = Path(__file__).resolve().parents[3]
KILLED = """
import sys, time, torch
from pathlib import Path
from hm3.checkpoints import Computed, write_checkpoint
def wait():
    print("halfway", flush=True)
    time.sleep(60)
tensors = [Computed("a", "F32", (4,), lambda: torch.zeros(4)), Computed("b", "F32", (4,), wait)]
write_checkpoint(Path(sys.argv[1]), {}, tensors, copy_from=Path(sys.argv[2]), shard_bytes=16)
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return Checkpoint.open("base", tiny.write_checkpoint(tmp_path_factory.mktemp("source") / "base"))


@pytest.fixture
def write(source, tmp_path):
    def call(target=tmp_path / "out", tensors=None, **options):
        tensors = (Copied.of(source, name) for name in source.tensor_names) if tensors is None else tensors
        return write_checkpoint(target, source.config, tensors, copy_from=source.path, **options)

    return call


def ready(name, tensor):
    return Computed(name, NAMES[tensor.dtype], tuple(tensor.shape), lambda: tensor)


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if ".partial-" in path.name]


@pytest.mark.parametrize("shard_bytes", [10**9, 20_000])
def test_transformers_loads_it(write, source, shard_bytes, tmp_path):
    out = write(shard_bytes=shard_bytes)
    ours, info = AutoModelForCausalLM.from_pretrained(out, output_loading_info=True)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    theirs = AutoModelForCausalLM.from_pretrained(source.path)
    ids = AutoTokenizer.from_pretrained(out)("1+1=2", return_tensors="pt")["input_ids"]
    assert torch.equal(ours(ids).logits, theirs(ids).logits)
    assert leftovers(tmp_path) == []


def test_shards_keep_to_their_size_and_content(write, source):
    out = write(shard_bytes=20_000)
    files = sorted(out.glob("*.safetensors"))
    assert files[0].name == f"model-00001-of-{len(files):05d}.safetensors"
    assert all(file.stat().st_size < 24_000 for file in files)
    assert Checkpoint.open("copy", out).digest == source.digest


def test_shared_tensors_are_written_apart(write, source):
    tensor = torch.arange(8.0)
    parts = [("a", tensor), ("b", tensor), ("c", tensor[2:4]), ("d", tensor.reshape(2, 4).T)]
    edited = write(tensors=[ready(name, value) for name, value in parts])
    written = load_file(edited / "model.safetensors")
    assert all(torch.equal(written[name], value) for name, value in parts)


def test_further_files(write):
    out = write(files={"recipe.json": "{}", "picture": b"\x00"})
    assert (out / "recipe.json").read_text() == "{}"
    assert (out / "picture").read_bytes() == b"\x00"


def test_an_empty_folder_counts_as_none(write, tmp_path):
    (tmp_path / "empty").mkdir()
    assert Checkpoint.open("out", write(tmp_path / "empty")).depth == 4


def test_refuses_a_target_that_exists(write, tmp_path):
    write(files={"recipe.json": "1"})
    with pytest.raises(OutputError, match="a new folder, got one with content"):
        write()


def test_replaces_only_what_hm3_wrote(write, tmp_path):
    write(files={"recipe.json": "1"})
    write(files={"recipe.json": "2"}, overwrite=True)
    assert (tmp_path / "out" / "recipe.json").read_text() == "2"
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match="only what HM3 wrote"):
        write(tmp_path / "theirs", overwrite=True)
    assert leftovers(tmp_path) == []


def test_refuses_to_touch_a_source(write, source):
    for target in (source.path, source.path / "deep" / "inside", source.path.parent):
        with pytest.raises(OutputError, match="neither in, at nor above a source"):
            write(target, overwrite=True)


def test_refuses_a_link_to_a_source(write, source, tmp_path):
    (tmp_path / "link").symlink_to(source.path)
    with pytest.raises(OutputError, match="neither in, at nor above a source"):
        write(tmp_path / "link" / "model")


def test_refuses_a_file(write, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="got a file or link there"):
        write(tmp_path / "file")
    with pytest.raises(OutputError, match="must be writable"):
        write(tmp_path / "file" / "model")


def test_no_space_leaves_nothing(write, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"must be writable, got .*File too large") as caught:
            write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_failing_stream_leaves_nothing(write, tmp_path):
    def fail():
        assert (tmp_path / leftovers(tmp_path)[0] / "model-00001-of-00002.safetensors").is_file()
        raise KeyError("b")

    with pytest.raises(KeyError):
        write(tensors=[ready("a", torch.zeros(2)), Computed("b", "F32", (2,), fail)], shard_bytes=8)
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_name_twice_and_no_tensor(write):
    with pytest.raises(OutputError, match="'a' twice"):
        write(tensors=[ready("a", torch.zeros(2))] * 2)
    with pytest.raises(OutputError, match="at least one tensor"):
        write(tensors=[])


def test_a_killed_write_is_invisible_and_the_next_one_cleans_up(write, source, tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path / "out"), str(source.path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "halfway\n"
        write(tmp_path / "other")
        assert len(leftovers(tmp_path)) == 1
        with pytest.raises(
            OutputError, match="'a' twice"
        ):  # another write to the same target leaves a living one alone
            write(tensors=[ready("a", torch.zeros(2))] * 2)
        assert len(leftovers(tmp_path)) == 1
        process.send_signal(signal.SIGKILL)
    assert not (tmp_path / "out").exists()
    assert len(leftovers(tmp_path)) == 1
    write()
    assert leftovers(tmp_path) == []


def test_write_atomic(tmp_path):
    file = write_atomic(tmp_path / "new" / "note.txt", "grüß")
    assert write_atomic(file, b"2").read_bytes() == b"2"
    assert [path.name for path in file.parent.iterdir()] == ["note.txt"]


def test_write_atomic_refuses_in_one_line(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="must be writable"):
        write_atomic(tmp_path / "file" / "note", "x")
    with pytest.raises(OutputError, match="a file, got something else there"):
        write_atomic(tmp_path, "x")
