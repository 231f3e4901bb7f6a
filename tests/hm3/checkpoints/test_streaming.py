"""Tensors pass from file to file: the right bytes, in little memory, and never half a checkpoint."""

import itertools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from hm3.checkpoints import (
    Checkpoint,
    Computed,
    ComputedRows,
    Copied,
    byte_ranges,
    computed,
    flushing,
    write_checkpoint,
)
from hm3.checkpoints.content import file_digest
from hm3.checkpoints.dtypes import NAMES, TORCH_DTYPES
from hm3.errors import CheckpointError, OutputError
from tests import tiny

ROOT = Path(__file__).resolve().parents[3]


def ready(name, tensor):
    return Computed(name, NAMES[tensor.dtype], tuple(tensor.shape), lambda: tensor)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return Checkpoint.open("base", tiny.write_checkpoint(tmp_path_factory.mktemp("source") / "base", shard_size="30KB"))


@pytest.fixture
def write(source, tmp_path):
    def call(tensors, **options):
        return write_checkpoint(tmp_path / "out", source.config, tensors, copy_from=source.path, **options)

    return call


def copies(source):
    return [Copied.of(source, name) for name in source.tensor_names]


def content(file, entry):
    return file.read_bytes()[entry.start : entry.stop]


def test_a_file_is_byte_for_byte_what_safetensors_writes(write, tmp_path):
    tensors = {f"{name} of 3": torch.arange(3).to(dtype) for name, dtype in TORCH_DTYPES.items()}
    tensors |= {'layer "10", grün': torch.ones(2, 3), "layer 2": torch.ones(5, dtype=torch.bfloat16)}
    tensors |= {"scalar": torch.tensor(7, dtype=torch.int32), "empty": torch.zeros(0, 4), "\t\x7f": torch.ones(1)}
    out = write([ready(name, tensor) for name, tensor in reversed(tensors.items())])
    save_file(tensors, tmp_path / "theirs", metadata={"format": "pt"})
    assert (out / "model.safetensors").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_copied_bytes_are_the_sources_under_the_new_names(write, source):
    names = {name: name.replace("layers.0.", "layers.3.") for name in source.tensor_names if "layers.3." not in name}
    out = Checkpoint.open("out", write([Copied.of(source, old, new) for old, new in names.items()], shard_bytes=50_000))
    assert len(out.files) > 1
    assert set(out.tensors) == set(names.values())
    assert all(content(*out.place(new)) == content(*source.place(old)) for old, new in names.items())


@pytest.mark.filterwarnings("ignore")  # mergekit's own
def test_mergekit_reads_it(write, source):
    from mergekit.io.lazy_tensor_loader import LazyTensorLoader

    loader = LazyTensorLoader.from_disk(str(write(copies(source), shard_bytes=50_000)))
    assert all(torch.equal(loader.get_tensor(name), source.tensor(name)) for name in source.tensor_names)


def test_the_first_rows_of_a_tensor(write, source):
    name = "model.embed_tokens.weight"
    out = write([Copied.of(source, name).first_rows(100), Copied.of(source, "model.norm.weight")])
    assert torch.equal(load_file(out / "model.safetensors")[name], source.tensor(name)[:100])
    with pytest.raises(ValueError, match=r"at most the rows of \[128, 32\], got 129"):
        Copied.of(source, name).first_rows(129)


def test_tensors_fill_files_in_their_order_and_a_large_one_has_its_own(write):
    sizes = {"a": 8, "b": 8, "c": 4, "large": 40, "d": 16, "e": 4}  # bytes; files take 20
    out = write([ready(name, torch.zeros(size // 4)) for name, size in sizes.items()], shard_bytes=20)
    index = json.loads((out / "model.safetensors.index.json").read_text())
    files = [index["weight_map"][name] for name in sizes]
    assert [int(file[6:11]) for file in files] == [1, 1, 1, 2, 3, 3]
    assert set(files) == {f"model-{number:05d}-of-00003.safetensors" for number in (1, 2, 3)}
    assert index["metadata"] == {"total_size": 80}
    for file in set(files):
        with safe_open(out / file, framework="pt") as opened:
            assert opened.metadata() == {"format": "pt"}


def test_values_are_made_once_in_the_order_given_and_not_before_all_names_are_known(write):
    made = []
    tensors = [Computed(name, "F32", (1,), lambda name=name: made.append(name) or torch.ones(1)) for name in "bca"]
    with pytest.raises(OutputError, match="'b' twice"):
        write([*tensors, tensors[0]])
    assert made == []
    write(tensors)
    assert made == ["b", "c", "a"]


def test_a_large_tensor_is_made_by_blocks_of_rows(write, source, monkeypatch):
    monkeypatch.setattr(computed, "BLOCK", 50)
    name, asked = "model.embed_tokens.weight", []

    def make(first, stop):
        asked.append((first, stop))
        return 2 * source.read_rows(name, first, stop)

    with pytest.raises(OutputError, match=r"output: a as stated, BF16 \[50, 32\], got torch.bfloat16 \[49, 32\]"):
        write([ComputedRows("a", "BF16", (128, 32), lambda first, stop: source.read_rows(name, first, stop - 1))])
    out = write([Copied.of(source, "model.norm.weight"), ComputedRows(name, "BF16", (128, 32), make)])
    assert asked == [(0, 50), (50, 100), (100, 128)]
    assert torch.equal(load_file(out / "model.safetensors")[name], 2 * source.tensor(name))


def test_what_is_read_is_memory_of_its_own(source):
    for name in source.tensor_names:
        assert torch.equal(source.read(name), source.tensor(name))
    rows = source.read_rows("model.embed_tokens.weight", 3, 5)
    assert rows.untyped_storage().nbytes() == 2 * 32 * 2
    assert torch.equal(rows, source.tensor("model.embed_tokens.weight")[3:5])


@pytest.mark.parametrize("made", [torch.zeros(3), torch.zeros(2, dtype=torch.float64)])
def test_a_value_that_is_not_as_stated_is_refused(write, tmp_path, made):
    with pytest.raises(OutputError, match=r"output: a as stated, F32 \[2\], got torch\.float"):
        write([Computed("a", "F32", (2,), lambda: made)])
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_shrinks_is_one_line(write, source, tmp_path):
    file = tmp_path / "model.safetensors"
    save_file({"a": torch.zeros(100)}, file)
    _, entry = source.place("model.norm.weight")
    with pytest.raises(
        CheckpointError, match=r"model\.safetensors: as long as when it was opened, got its end at byte"
    ):
        write([Copied("a", file, type(entry)("F32", (200,), 72, 872))])
    with pytest.raises(CheckpointError, match="a readable file, got No such file"):
        write([Copied("a", tmp_path / "gone", entry)])
    assert list(tmp_path.iterdir()) == [file]


def test_too_little_room_is_seen_before_anything_is_written(write, source, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=10**9, free=1000))

    def fail():
        raise AssertionError

    with pytest.raises(OutputError) as caught:
        write([Computed("a", "F32", (300,), fail)])
    said = "No space left on device: 1,304 bytes of weights, 1,000 free"  # 8 and 96 of the header, 1200 of the tensor
    assert str(caught.value) == f"output {tmp_path / 'out'}: must be writable, got {said}"
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_in_the_background_is_heard(write, source, tmp_path, monkeypatch):
    calls, sync = itertools.count(), os.fsync

    def failing(descriptor):
        if next(calls) == 1:
            raise OSError(5, "Input/output error")
        sync(descriptor)

    monkeypatch.setattr(flushing, "EVERY", 10_000)
    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OutputError, match="must be writable, got Input/output error"):
        write(copies(source))
    assert list(tmp_path.iterdir()) == []


MEMORY = """
import sys, torch
from pathlib import Path
from safetensors.torch import load_file
from hm3.checkpoints import Computed, Copied, write_checkpoint
from hm3.checkpoints.safetensors_header import read_header
from scripts.benchmark.memory import own_peak, reset_peak

folder = Path(sys.argv[1])
(folder / "tokenizer").mkdir()
def random():
    return torch.randint(-2**31, 2**31, (2048, 2048), dtype=torch.int32)  # 16.8 MB
def write(name, tensors):
    reset_peak()
    before = own_peak()
    out = write_checkpoint(folder / name, {}, tensors, copy_from=folder / "tokenizer")
    print(own_peak() - before)
    return out / "model.safetensors"

write("warm up", [Computed("0", "I32", (2048, 2048), random)])
file = write("source", [Computed(str(i), "I32", (2048, 2048), random) for i in range(9)])
write("copy", [Copied(name, file, entry) for name, entry in read_header(file).items()])
before = own_peak()
held = {name: tensor + 1 for name, tensor in load_file(file).items()}
print(own_peak() - before)
"""


def test_memory_is_one_tensor_for_computed_ones_and_nothing_for_copied_ones(tmp_path):
    command = [sys.executable, "-c", MEMORY, str(tmp_path)]
    given_back = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1000000"}  # else glibc may keep freed blocks up to 32 MB
    done = subprocess.run(command, cwd=ROOT, env=given_back, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    _, computed, copied, held = map(int, done.stdout.split())
    assert held > 9 * 2048 * 2048 * 4  # what is held is seen
    assert computed < 40_000_000
    assert copied < 10_000_000
    assert file_digest(tmp_path / "copy" / "model.safetensors") == file_digest(
        tmp_path / "source" / "model.safetensors"
    )


FULL = """
import shutil, sys
from pathlib import Path
from types import SimpleNamespace
from hm3.checkpoints import Checkpoint, Copied, write_checkpoint
from hm3.errors import OutputError
shutil.disk_usage = lambda folder: SimpleNamespace(total=0, free=0)  # a disk that doesn't say
source = Checkpoint.open("base", Path(sys.argv[1]))
try:
    tensors = [Copied.of(source, name) for name in source.tensors]
    write_checkpoint(Path(sys.argv[2], "out"), source.config, tensors, copy_from=source.path, shard_bytes=50_000)
except OutputError as error:
    print(error, list(Path(sys.argv[2]).iterdir()))
"""


def test_a_disk_that_fills_up_is_one_line_and_nothing_is_left(source, tmp_path):
    disk = shlex.quote(str(tmp_path))
    words = shlex.join([sys.executable, "-c", FULL, str(source.path), str(tmp_path)])
    mount = f"mount -t tmpfs -o size=100k tmpfs {disk} && {words}"
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c", mount]
    if shutil.which("unshare") is None or subprocess.run([*command[:-1], "true"], capture_output=True).returncode:
        pytest.skip("no disk of its own: this system lets nobody mount one")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == f"output {tmp_path}/out: must be writable, got No space left on device []\n", done.stderr


def killed_at(moment, call):
    """Fork; the child kills itself at its `moment`-th system call that matters. Whether it was killed."""
    child = os.fork()
    if child == 0:
        moments, pwrite = itertools.count(), os.pwrite

        def count(event):
            if event in ("pwrite", "open", "os.mkdir", "os.rename", "shutil.copyfile") and next(moments) == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        os.pwrite = lambda *words: (count("pwrite"), pwrite(*words))[1]
        sys.addaudithook(lambda event, _: count(event))
        call()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_killed_at_any_moment_the_target_is_whole_or_absent(write, source, tmp_path, monkeypatch):
    monkeypatch.setattr(byte_ranges, "CHUNK", 4096)  # kills in the middle of tensors too
    before = {file: file_digest(file) for file in source.path.iterdir()}
    tensors = copies(source)
    moment = 0
    while killed_at(moment, lambda: write(tensors, shard_bytes=50_000)):
        if (tmp_path / "out").exists():
            assert Checkpoint.open("out", tmp_path / "out").digest == source.digest
            shutil.rmtree(tmp_path / "out")
        moment += 1
    assert moment > 60
    assert [path.name for path in tmp_path.iterdir()] == ["out"]  # the last one has removed what the killed ones left
    assert Checkpoint.open("out", tmp_path / "out").digest == source.digest
    assert {file: file_digest(file) for file in source.path.iterdir()} == before
