"""Commands on a run of the past: any word for any of their settings, and what Hydra kept of the run, damaged."""

import io
import json
import shutil
import sys
import tempfile
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from hypothesis import assume
from hypothesis import strategies as st
from omegaconf import OmegaConf

from hm3 import evaluate, export, report, search, train
from hm3.command.folders import register
from hm3.sealed import sealed
from tests.hostile.cases import TEXTS, damaged, hostile, seconds
from tests.hostile.test_settings import CONF, leaves
from tests.tiny_runs import small_front, write_run

QUIET = ("hydra/job_logging=none", "hydra/hydra_logging=none")
COMMANDS = {
    "search": (search, ("run=run", "hydra.run.dir=new")),
    "evaluate": (evaluate, ("run=run",)),
    "export": (export, ("run=run", "out=model")),
    "report": (report, ("run=run",)),
    "comparison": (report, ("runs=run", "out=page.html")),
}


def composed(name):
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose(name.replace("comparison", "report")))


@cache
def places(name):
    return [key for key in leaves(composed(name)) if not key.endswith(("_target_", "_partial_"))]


@cache
def past():
    """A folder with ``run``, which has a result and whose sources are gone, and with ``begun``, which was killed."""
    folder = Path(tempfile.mkdtemp(prefix="hm3-hostile-"))
    settings = composed("train") | {"merges": "merges"}
    settings["sources"] = {"base": "gone", "experts": {"math": "gone"}, "on_mismatch": "refuse"}
    run = write_run(folder / "run", small_front(), settings)
    (run.path / ".hydra/hydra.yaml").write_text(yaml.safe_dump({"hydra": {"runtime": {"cwd": "."}}}))
    (folder / "begun").mkdir()
    record = {"config": yaml.safe_dump(settings), "overrides": [], "cwd": ".", "wandb_id": "0", "finished": False}
    (folder / "begun/start.json").write_text(sealed(record))
    return folder


@contextmanager
def a_copy():
    """The working directory of a command: the runs of the past, copied."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        yield Path(shutil.copytree(past(), folder, dirs_exist_ok=True))


def check(module, *words):
    """The command does what it should, or says in one line why not: that line."""
    before, sys.argv = sys.argv, [module.__name__, *words, *QUIET]
    out, err = io.StringIO(), io.StringIO()
    try:
        with seconds(), redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
            module.main()
    finally:
        sys.argv = before
    said = err.getvalue()
    assert (ended.value.code, said.count("\n")) in ((0, 0), (2, 1)), said
    assert said[:-1].isprintable()
    return said


@hostile(12, 400, st.sampled_from(list(COMMANDS)), st.sampled_from(["", "", "+", "++", "~"]), TEXTS, st.data())
def test_any_word_for_a_command(name, sign, text, data):
    module, words = COMMANDS[name]
    key = data.draw(st.sampled_from(places(name)))
    word = f"~{key}" if sign == "~" else f"{sign}{key}={text}"
    assume(key != "out" or "/dev" not in text)  # a mistake here would cost root a device; test_mistakes has a pipe
    with a_copy() as folder:
        check(module, *(each for each in words if not word.startswith(each.partition("=")[0] + "=")), word)
        assert not (folder / "model").exists()  # its sources are gone
        assert not list(folder.rglob("*partial*"))


@hostile(12, 400, st.sampled_from(list(COMMANDS)), st.sampled_from(["config.yaml", "hydra.yaml"]), st.data())
def test_what_hydra_kept(name, file, data):
    module, words = COMMANDS[name]
    kept = Path("run/.hydra") / file
    with a_copy():
        if data.draw(st.booleans()):
            value = data.draw(damaged(yaml.safe_load(kept.read_text())))
            kept.write_text(yaml.safe_dump(value, allow_unicode=True))
        else:
            content, at = kept.read_bytes(), data.draw(st.floats(0, 1))
            at = int(at * len(content))
            kept.write_bytes(content[:at] + data.draw(st.binary(max_size=9)) + content[at + 5 :])
        check(module, *words)


@hostile(8, 200, st.data())
def test_how_a_run_began(data):
    with a_copy():
        file = Path("begun/start.json")
        whole = json.loads(file.read_text())
        value = data.draw(damaged(whole))
        file.write_text(json.dumps(value))
        assert value == whole or file.name in check(train, "resume=begun")
