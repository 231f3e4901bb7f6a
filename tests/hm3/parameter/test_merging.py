"""A merge is a checkpoint like any other, built once and whole."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from hm3.checkpoints import Checkpoint
from hm3.errors import CheckpointError, ConfigurationError, OutputError
from hm3.parameter import MergeCache, merge, merge_tensors, specify
from hm3.recipe import MergeSpec, Source

ROOT = Path(__file__).resolve().parents[3]
BUILD = """
import json, sys
from pathlib import Path
from hm3.parameter import MergeCache
from hm3.recipe import MergeSpec
spec, paths, folder = json.loads(sys.stdin.read())
print(MergeCache(Path(folder)).get(MergeSpec.from_json(spec), {name: Path(path) for name, path in paths.items()}))
"""


@pytest.fixture
def spec(family):
    return family.spec("dare_ties")


def test_transformers_loads_it(family, spec, tmp_path, capfd):
    out = merge(spec, family.paths, tmp_path / "merged")
    assert capfd.readouterr() == ("", "")
    _, info = AutoModelForCausalLM.from_pretrained(out, output_loading_info=True)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert AutoTokenizer.from_pretrained(out)("1+1")["input_ids"][0] == 1


def test_it_holds_the_merged_tensors_and_says_how(family, spec, tmp_path):
    opened = Checkpoint.open("merged", merge(spec, family.paths, tmp_path / "merged"), spec)
    assert all(torch.equal(opened.tensor(name), tensor) for name, tensor in merge_tensors(spec, family.checkpoints))
    assert opened.source == Source.merged("merged", spec)
    assert opened.config["dtype"] == "bfloat16"
    assert MergeSpec.from_json(json.loads((opened.path / "merge.json").read_text())) == spec
    text = (opened.path / "mergekit.yaml").read_text()
    assert text.startswith("# mergekit-yaml mergekit.yaml OUT --random-seed 0\nmerge_method: dare_ties\n")


def test_refuses_to_replace_unless_told(family, spec, tmp_path):
    merge(spec, family.paths, tmp_path / "merged")
    with pytest.raises(OutputError):
        merge(spec, family.paths, tmp_path / "merged")
    merge(spec, family.paths, tmp_path / "merged", overwrite=True)
    with pytest.raises(OutputError, match="source"):
        merge(spec, family.paths, family.paths["base"], overwrite=True)


def test_refuses_a_source_of_another_content(family, spec, tmp_path):
    swapped = {**family.paths, "math": family.paths["code"]}
    with pytest.raises(CheckpointError, match=r"source math .*: the content that the merge names"):
        merge(spec, swapped, tmp_path / "merged")


def test_refuses_a_source_without_a_path(spec, tmp_path):
    with pytest.raises(ConfigurationError, match="a path for every source, got none for base"):
        merge(spec, {}, tmp_path / "merged")


def test_a_merge_is_built_once(family, spec, tmp_path, monkeypatch):
    cache = MergeCache(tmp_path)
    first = cache.get(spec, family.paths)
    monkeypatch.setattr("hm3.parameter.cache.open_sources", None)  # nothing may be opened any more
    assert cache.get(spec, {}) == first


def test_paths_and_names_do_not_matter(family, spec, tmp_path):
    moved = {name: Path(shutil.copytree(path, tmp_path / name)) for name, path in family.paths.items()}
    cache = MergeCache(tmp_path / "cache")
    assert cache.get(spec, family.paths) == cache.get(spec, moved)


def test_parents_may_be_merges(family, spec, tmp_path):
    cache = MergeCache(tmp_path)
    inner = Source.merged("inner", family.spec("linear"))
    outer = specify("linear", base=family.source("base"), parents=[inner, family.source("math")], weights=[1, 1])
    Checkpoint.open("outer", cache.get(outer, family.paths), outer)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_failed_build_leaves_nothing(family, spec, tmp_path):
    with pytest.raises(CheckpointError):
        MergeCache(tmp_path / "cache").get(spec, {**family.paths, "math": tmp_path})
    assert not (tmp_path / "cache").exists()


def test_two_processes_agree(family, spec, tmp_path):
    paths = {name: str(path) for name, path in family.paths.items()}
    request = json.dumps([spec.to_json(), paths, str(tmp_path)])
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    processes = [subprocess.Popen([sys.executable, "-c", BUILD], **pipes) for _ in range(2)]
    answers = {process.communicate(request)[0].strip() for process in processes}
    assert answers == {str(MergeCache(tmp_path).path(spec))}
    assert [path.name for path in tmp_path.iterdir()] == [spec.digest[:32]]


def test_a_merge_is_fast(family, spec, tmp_path):
    begun = time.perf_counter()
    merge(spec, family.paths, tmp_path / "merged")
    assert time.perf_counter() - begun < 2  # 0.05 s on an idle core; the bound only catches a change of kind
