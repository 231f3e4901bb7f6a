"""Own models on the command line: every spelling that people try does what they mean, or is one line about it."""

import json
import logging
import os
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from hm3 import evaluate, export, train
from hm3.command import command
from hm3.composition import open_checkpoints, open_objectives, open_sources, prompts_of
from hm3.errors import CheckpointError
from hm3.past_run import PastRun
from hm3.recipe import Recipe
from hm3.sealed import unsealed
from tests.small_run import SMALL, call
from tests.tiny_adapters import write_adapter

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of lm-eval's and datasets' own dependencies
]
CONF = Path(__file__).parents[2] / "conf"
OWN = ("sources=own", "tasks=own")


@pytest.fixture
def described(small, capsys, tmp_path):
    """What a command line makes of the sources: the names of experts with folders and objectives, or the complaint."""

    def told(*overrides):
        opened = {}

        @command("train", str(CONF))
        def main(config):
            scored = [objective.name for objective in open_objectives(config.tasks)]
            sources = open_sources(config.sources, tmp_path / "merges", scored)
            opened["base"] = sources.base.path.name
            experts = ((each.source.name, each.objectives) for each in sources.experts)
            opened.update({name: (sources.checkpoints[name].path.name, *objectives) for name, objectives in experts})

        paths = {name: str(path) for name, path in small.sources.items()}
        quiet = ("hydra/job_logging=none", "hydra/hydra_logging=none", f"hydra.run.dir={tmp_path / 'run'}")
        done = call(main, [*(text.format(**paths) for text in overrides), *quiet], capsys)
        assert done.err.count("\n") == (done.code != 0)
        return opened if done.code == 0 else done.err.removeprefix("error: ").strip()

    return told


ZOO = {"base": "base", "math": ("base", "math"), "code": ("base", "code"), "translation": ("base", "translation")}
ZOO_TASK = "+tasks.objectives.one=hm3_math"


def on_the_zoo(*changes):
    """Overrides that put our models in the place of the zoo's, so that shapes agree."""
    experts = (f"sources.experts.{name}.path={{base}}" for name in ("math", "code", "translation"))
    return "sources.base={base}", *experts, *changes


@pytest.mark.parametrize(
    "spelling",
    [
        "+sources.experts.one={one}",
        "++sources.experts.one={one}",
        "+sources.experts.one.path={one}",
        "+sources.experts={{one:{one}}}",
    ],
)
def test_an_expert_is_added(described, spelling):
    found = described(*on_the_zoo(spelling), ZOO_TASK)
    assert found == {**ZOO, "one": ("one", "one")}


@pytest.mark.parametrize(
    "spelling", ["sources.experts.math={one}", "sources.experts.math.path={one}", "++sources.experts.math={one}"]
)
def test_an_experts_path_is_replaced_and_it_stays_for_what_it_was_for(described, spelling):
    assert described(*on_the_zoo(), spelling)["math"] == ("one", "math")


def test_own_models_alone(described):
    found = described(
        *OWN,
        "sources.base={base}",
        "+sources.experts.one={one}",
        "+sources.experts.two={two}",
        "+tasks.objectives.one=x",
    )
    assert found == {"base": "base", "one": ("one", "one"), "two": ("two",)}


def test_an_expert_for_several_objectives(described):
    found = described(*on_the_zoo("+sources.experts.one={{path:{one},objectives:[math,code]}}"))
    assert found["one"] == ("one", "math", "code")


def test_an_expert_that_is_taken_away(described):
    assert set(described(*on_the_zoo("~sources.experts.code"))) == {"base", "math", "translation"}


def test_an_expert_for_nothing_is_told_of(described, caplog):
    with caplog.at_level(logging.WARNING):
        described(*on_the_zoo("+sources.experts.chat={one}"))
    (line,) = caplog.messages
    assert line.startswith("sources.experts.chat: for no objective")
    assert "'+sources.experts.chat={path:...,objectives:[math, code, translation]}'" in line


MISTAKES = {
    "sources.experts.chat={one}": "sources.experts: math, code, translation so far, got 'chat'; to add it write +",
    "sources.experts={{chat:{one}}}": "to add it write +sources.experts.chat=...",
    "sources.experts.chat.path={one}": "to add it write +sources.experts.chat=...",
    "+sources.experts.math={one}": "sources.experts.math: is set already",
    "+sources.base={one}": "sources.base: is set already",
    "sources.base.path={one}": "sources.base.path: ",
    "sources={one}": "sources: one of llama2_7b, own, qwen2_5_1_5b, zoo, got '/",
    "sources.experts={one}": "sources: a base and experts by name (+sources.experts.NAME=PATH), got '/",
    "sources.experts=[one]": "sources.experts: settings by name, sources.experts.NAME=VALUE, got [one]",
    "sources.experts.math=": "source math: a folder or zoo:NAME, got ''",
    "+sources.expert.chat={one}": "got ['expert']",
    "sources=own": "sources.base: needs a value, sources.base=..., got none",
    "sources=own sources.base={base}": "sources.experts: at least one, +sources.experts.NAME=PATH, got none",
    "sources.experts.math.objectives=math": "sources.experts.math.objectives: a list of names, got 'math'",
    "sources.experts.math=org/unknown": "source math: a folder, zoo:NAME or a model of the Hub, got 'org/unknown'",
    "tasks.objectives.chat=hm3_math": "tasks.objectives: math, code, translation so far, got 'chat'; to add it write",
    "tasks=own": "tasks.objectives: at least one, +tasks.objectives.NAME=TASK, got none",
    "+tasks.objective.chat=hm3_math": "got 'objective'",
}  # fmt: skip


@pytest.mark.parametrize("overrides", MISTAKES)
def test_what_is_no_spelling_is_one_line(described, overrides, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    line = described(*(text for text in overrides.split(" ")))
    assert isinstance(line, str), line
    assert MISTAKES[overrides] in line


def composed_tasks(capsys, tmp_path, *overrides):
    found = []

    @command("train", str(CONF))
    def main(config):
        found.append((open_objectives(config.tasks), prompts_of(config.tasks)))

    done = call(
        main, [*overrides, f"hydra.run.dir={tmp_path}", "hydra/job_logging=none", "hydra/hydra_logging=none"], capsys
    )
    return found[0] if found else done.err


def test_objectives_in_short_and_in_full(capsys, tmp_path):
    full = "+tasks.objectives.b={task:t2,metric:acc,floor:0.25,num_fewshot:5}"
    objectives, prompts = composed_tasks(
        capsys, tmp_path, "tasks=own", "+tasks.objectives.a=t1", full, "+tasks.objectives.depth=depth"
    )
    assert [(o.name, o.task, o.metric, o.floor) for o in objectives] == [
        ("a", "t1", "", 0.0), ("b", "t2", "acc", 0.25), ("depth", "", "depth", 0.0)
    ]  # fmt: skip
    assert prompts.shots == {"t2": 5}


def test_one_task_is_asked_one_way(capsys, tmp_path):
    two = [f"+tasks.objectives.{name}={{task:t,num_fewshot:{shots}}}" for name, shots in (("a", 1), ("b", 2))]
    line = composed_tasks(capsys, tmp_path, "tasks=own", *two)
    assert line == "error: tasks.objectives.b.num_fewshot: as for every objective of the task t, got 2\n"


def test_an_adapter_is_an_expert_like_any_other_and_found_again(small, invoke, tmp_path, monkeypatch):
    """From relative paths, and exported from another folder."""
    (tmp_path / "home").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    write_adapter(Path("adapter"), small.sources["base"])
    Path("base").symlink_to(small.sources["base"])
    own = [
        *OWN, "sources.base=base", "+sources.experts.sums=adapter", f"+sources.experts.words={small.sources['two']}",
        f"tasks.include=['{os.path.relpath(small.tasks)}']",
        *(f"+tasks.objectives.{name}={{task:tiny_{name},metric:likelihood}}" for name in ("sums", "words")),
    ]  # fmt: skip
    done = invoke(train.main, *own, *SMALL, "env.host=sums", "hydra.run.dir=run")
    assert (done.code, done.err) == (0, "")
    used = {each["name"]: each["digest"] for each in unsealed(Path("run/pool.json"))["sources"]}
    monkeypatch.chdir(tmp_path / "elsewhere")
    past = PastRun.open(tmp_path / "home" / "run")
    again = open_checkpoints(past.settings.sources, past.merges.folder)["sums"]
    assert again.digest == used["sums"] != used["base"]
    [(name, found)] = past.checkpoints(Recipe.identity(again.source, again.depth)).items()
    assert (name, found.path, found.digest) == ("sums", again.path, again.digest)
    done = invoke(evaluate.main, f"run={past.folder.path}")
    assert done.code == 0, done.err
    assert float(done.out.split("largest difference")[1]) <= 1e-4
    done = invoke(export.main, f"run={past.folder.path}", "out=model")
    assert (done.code, done.err) == (0, "")
    assert Path("model/recipe.json").is_file()


def test_sources_that_nobody_asks_for_need_not_be_there(small, tmp_path):
    known = {"base": str(small.sources["base"]), "experts": {"one": str(small.sources["one"]), "two": "/no/such"}}
    assert list(open_checkpoints(OmegaConf.create(known), tmp_path, ["one"])) == ["base", "one"]
    assert open_checkpoints(OmegaConf.create({**known, "base": "/no/such"}), tmp_path, []) == {}
    with pytest.raises(CheckpointError, match="/no/such"):
        open_checkpoints(OmegaConf.create(known), tmp_path)


def test_models_of_the_hub_are_sources_by_name_and_the_recipe_pins_their_commits(small, invoke, hub, tmp_path):
    """Also when the branch that the run was given has moved on since."""
    commits = {}
    for name, folder in zip(("base", "sums", "words"), small.sources.values(), strict=True):
        commits[name] = hub.add(f"org/{name}", folder).head.oid
    hub.repositories["org/sums"].branches["v1"] = commits["sums"]
    own = [
        *OWN, "sources.base=org/base", "+sources.experts.sums=org/sums@v1", "+sources.experts.words=org/words",
        f"tasks.include=['{small.tasks}']",
        *(f"+tasks.objectives.{name}={{task:tiny_{name},metric:likelihood}}" for name in ("sums", "words")),
    ]  # fmt: skip
    run = tmp_path / "run"
    done = invoke(train.main, *own, *SMALL, f"hydra.run.dir={run}")
    assert (done.code, done.err) == (0, "")
    recipe = Recipe.from_json(json.loads((run / "model" / "recipe.json").read_text()))
    origins = {source.name: source.origin for each in recipe.sources for source in each.given}
    assert origins
    assert origins == {name: f"org/{name}@{commits[name]}" for name in origins}
    for name in commits:
        hub.repositories[f"org/{name}"].commit({"README.md": b"gone"}, "another model")
    done = invoke(export.main, f"run={run}", f"out={tmp_path / 'again'}")
    assert done.code == 0, done.err
    again, first = (folder / "model.safetensors" for folder in (tmp_path / "again", run / "model"))
    assert again.read_bytes() == first.read_bytes()
