"""mergekit's own commands, as a user calls them, and sources to stack."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
import yaml
from safetensors import safe_open

from hm3.checkpoints import Checkpoint
from tests.tiny import write_checkpoint


def sources(folder: Path, family: str = "llama", **shape) -> dict[str, Checkpoint]:
    """``a``, ``b`` and ``c`` of four, three and four layers, ``b`` of its own training, ``c`` near ``a``."""
    paths = {
        "a": write_checkpoint(folder / "a", family=family, depth=4, seed=1, **shape),
        "b": write_checkpoint(folder / "b", family=family, depth=3, seed=2, **shape),
    }
    paths["c"] = write_checkpoint(folder / "c", family=family, depth=4, seed=3, near=paths["a"], **shape)
    return {name: Checkpoint.open(name, path) for name, path in paths.items()}


def replayed(file: Path, out: Path) -> Path:
    """The model that mergekit makes of ``mergekit.yaml``, by the command in the file's first line."""
    with warnings.catch_warnings():  # mergekit imports numpy.core and names dtypes as transformers 4 did
        warnings.simplefilter("ignore", DeprecationWarning)
        from click.testing import CliRunner
        from mergekit.scripts import multimerge, run_yaml

        text = file.read_text()
        command, *words = text.splitlines()[0].removeprefix("# ").split()
        places = {"mergekit.yaml": str(file), "OUT": str(out), "MERGES": str(out.with_name("merges"))}
        words = [places.get(word, word) for word in words]
        main = {"mergekit-yaml": run_yaml.main, "mergekit-multi": multimerge.main}[command]
        done = CliRunner().invoke(main, [*words, "--quiet"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert isinstance(list(yaml.safe_load_all(text))[-1]["base_model"], str | dict)
    return out


def weights(folder: Path) -> Mapping[str, torch.Tensor]:
    found = {}
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            found |= {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118
    return found


def assert_same_tensors(ours: Path, theirs: Path) -> None:
    """Every tensor bit for bit, none missing, none more."""
    one, two = weights(ours), weights(theirs)
    assert set(one) == set(two)
    for name, tensor in one.items():
        assert tensor.dtype == two[name].dtype, name
        assert torch.equal(tensor, two[name]), name
