"""LoRA adapter folders, damaged."""

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from hm3.checkpoints import Adapter, Checkpoint, merged_adapter
from tests.hostile.cases import damaged, hostile, refused_or_fine
from tests.tiny import write_checkpoint
from tests.tiny_adapters import write_adapter

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


@cache
def originals():
    """A base of two layers, an adapter of it, and what the adapter's config and header say."""
    folder = Path(tempfile.mkdtemp(prefix="hm3-hostile-"))
    base = Checkpoint.open("base", write_checkpoint(folder / "base", depth=2))
    adapter = write_adapter(folder / "adapter", base.path, modules_to_save=["norm"])
    return base, adapter


def check_merged(adapter, cache_folder):
    """Either the merged checkpoint is whole or there is nothing."""
    base, _ = originals()
    with refused_or_fine():
        target = merged_adapter(Adapter.open("math", adapter), base, cache_folder)
        assert Checkpoint.open("math", target).depth == base.depth
    assert len(list(cache_folder.glob("*"))) <= 1
    assert not list(cache_folder.glob(".*"))


@hostile(15, 600, st.data())
def test_the_config_of_an_adapter(data):
    with tempfile.TemporaryDirectory() as folder:
        adapter = Path(shutil.copytree(originals()[1], Path(folder) / "adapter"))
        whole = json.loads((adapter / CONFIG).read_text())
        (adapter / CONFIG).write_text(json.dumps(data.draw(damaged(whole))))
        check_merged(adapter, Path(folder) / "merges")


@hostile(10, 300, st.integers(0, 10**9), st.binary(max_size=60), st.sampled_from(["over", "cut", "gone"]))
def test_the_weights_of_an_adapter(at, noise, how):
    with tempfile.TemporaryDirectory() as folder:
        adapter = Path(shutil.copytree(originals()[1], Path(folder) / "adapter"))
        file = adapter / WEIGHTS
        content = file.read_bytes()
        at %= min(len(content), 2500)  # the header is the interesting part
        if how == "gone":
            file.unlink()
        else:
            file.write_bytes(content[:at] + noise + (content[at + len(noise) :] if how == "over" else b""))
        check_merged(adapter, Path(folder) / "merges")


@hostile(10, 300, st.data())
def test_the_header_of_an_adapter(data):
    """Sound as a file, with other names, types and shapes than the config's targets ask for."""
    with tempfile.TemporaryDirectory() as folder:
        adapter = Path(shutil.copytree(originals()[1], Path(folder) / "adapter"))
        content = (adapter / WEIGHTS).read_bytes()
        length = int.from_bytes(content[:8], "little")
        header = json.dumps(data.draw(damaged(json.loads(content[8 : 8 + length])))).encode()
        (adapter / WEIGHTS).write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])
        check_merged(adapter, Path(folder) / "merges")
