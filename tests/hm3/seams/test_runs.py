"""Runs with seams: trained, resumed, searched again, exported; and what stock lm-eval says of their models."""

import json
from dataclasses import replace

import pytest
import torch
from transformers import AutoTokenizer

from hm3 import evaluate, export, search, train
from hm3.checkpoints import Checkpoint
from hm3.exits import prefix
from hm3.machine import Items, Machine
from hm3.objectives import Objective
from hm3.recipe import LayerRef, Recipe
from hm3.recipe.files import SEAMS
from hm3.runs import RunFolder
from hm3.workbench import Workbench
from tests.small_run import overrides, write_tasks
from tests.tiny import write_family
from tests.tiny_seams import hooked_logits
from tests.tiny_tasks import documents
from tests.tiny_tasks import write_tasks as write_small_tasks

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of lm-eval's and datasets' own dependencies
]
FREE = ("env.reach=null", "env.min_depth=3", "parameter=none", "rivals=0", "+preference.weights={sums:0.7,words:0.3}")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("seams")


@pytest.fixture(params=["scale", "rotation"])
def trained(request, small, runs, invoke):
    """A run with seams, once for each rule."""
    folder = runs / request.param
    if not folder.exists():
        done = invoke(train.main, *small.overrides, *FREE, f"env.seam={request.param}", f"hydra.run.dir={folder}")
        assert (done.code, done.err) == (0, "")
    return RunFolder(folder)


def with_seams(front):
    return [member for member in front.candidates if member.recipe.seam != "none"]


def test_stock_lm_eval_says_what_the_run_reports(trained, invoke):
    front = trained.read_front()
    assert with_seams(front)
    assert len({member.recipe.seam for member in with_seams(front)}) == 1
    done = invoke(evaluate.main, f"run={trained.path}", "candidates=all")
    assert done.code == 0, done.err
    assert float(done.out.split("largest difference")[1]) <= 1e-4


def test_a_candidate_is_exported_and_rebuilt_from_its_recipe_to_the_last_byte(trained, invoke, tmp_path):
    member = with_seams(trained.read_front())[-1]
    first, again = tmp_path / "first", tmp_path / "again"
    assert invoke(export.main, f"run={trained.path}", f"candidate={member.recipe.digest}", f"out={first}").code == 0
    recipe = json.loads((first / "recipe.json").read_text())
    assert recipe["seam"] == member.recipe.seam
    assert len(recipe["seams"]["transforms"]) >= 1
    assert (first / SEAMS).is_file() is recipe["seam"].startswith("rotation")
    assert invoke(export.main, f"recipe={first}", f"out={again}").code == 0
    for file in first.iterdir():
        assert (again / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_search_goes_on_with_the_runs_own_seams(trained, invoke, tmp_path):
    settings = ["+preference.weights={words:1}", f"hydra.run.dir={tmp_path / 'searched'}", "online.refine=0"]
    done = invoke(search.main, f"run={trained.path}", *settings, "hydra/job_logging=none", "hydra/hydra_logging=none")
    assert (done.code, done.err) == (0, "")
    names = {member.recipe.seam for member in with_seams(RunFolder(tmp_path / "searched").read_front())}
    assert names <= {member.recipe.seam for member in with_seams(trained.read_front())}


class Killed(BaseException):
    """What a test raises where a process would be killed."""


def test_killed_before_its_result_a_run_goes_on_and_ends_as_undisturbed(small, trained, invoke, tmp_path, monkeypatch):
    def killed(folder, front):
        raise Killed

    rule = trained.path.name
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write_front", killed)
        with pytest.raises(Killed):
            train_in(tmp_path / "run", small, invoke, rule)
    done = invoke(train.main, f"resume={tmp_path / 'run'}", "hydra/job_logging=none", "hydra/hydra_logging=none")
    assert (done.code, done.err) == (0, "")
    for name in ("front.json", "seams.json", "model/recipe.json", "model/model.safetensors"):
        assert (tmp_path / "run" / name).read_bytes() == (trained.path / name).read_bytes(), name


def train_in(folder, small, invoke, rule):
    invoke(train.main, *small.overrides, *FREE, f"env.seam={rule}", f"resume={folder}")


def test_the_policy_may_see_exits_through_seams(small, invoke, tmp_path):
    exits = ("env.exits=true", "agent.credit._target_=agents.Potential", "export=false")
    done = invoke(train.main, *small.overrides, *FREE, *exits, "env.seam=rotation", f"hydra.run.dir={tmp_path / 'run'}")
    assert (done.code, done.err) == (0, "")


def test_a_rule_that_is_none_is_one_line(small, invoke, tmp_path):
    done = invoke(train.main, *small.overrides, "env.seam=glue", f"hydra.run.dir={tmp_path / 'run'}")
    assert (done.code, done.err) == (2, "error: env.seam: one of none, scale, rotation, got 'glue'\n")


def test_a_family_whose_weights_cannot_hold_a_rotation_is_refused_before_anything_is_scored(
    invoke, tmp_path, monkeypatch
):
    sources = write_family(tmp_path / "models", ("one", "two"), family="olmo2", depth=2)
    monkeypatch.setattr("hm3.workbench.Workbench.open", None)  # nobody gets that far
    settings = overrides(sources, write_tasks(tmp_path / "tasks"))
    done = invoke(train.main, *settings, "env.seam=rotation", f"hydra.run.dir={tmp_path / 'run'}")
    assert done.code == 2
    rule = "error: source base: for seam=rotation, a family whose stream can be turned, got olmo2: a norm behind each"
    assert done.err.startswith(rule)
    assert done.err.count("\n") == 1


def bench_of(small, tasks, folder):
    sources = [Checkpoint.open(name, path) for name, path in small.sources.items()]
    objectives = [Objective(name, f"tiny_{name}", "likelihood") for name in ("sums", "words")]
    machine, items = Machine(device="cpu", workers=0), Items(2)
    store = folder / "store.sqlite"
    return Workbench.open(
        sources, objectives, include=[tasks], store=store, machine=machine, items=items, seam="rotation"
    )


def test_a_fit_sees_search_items_and_no_test_item(small, tmp_path):
    tasks = write_tasks(tmp_path / "tasks")
    search_texts = []
    for name in ("sums", "words"):
        rows = json.loads((tasks / f"{name}.json").read_text())
        search_texts += [row["prompt"] + row["answer"][:-1] for row in rows["search"]]
        for row in rows["test"]:
            row["prompt"] = "another " + row["prompt"]
        (tmp_path / f"{name}.json").write_text(json.dumps(rows))
    with bench_of(small, tasks, tmp_path) as bench:
        name, rows = bench.seams.name, bench.seams._states.calibration.rows
    tokenizer = AutoTokenizer.from_pretrained(small.sources["base"])
    assert [tokenizer.decode(row, skip_special_tokens=True) for row in rows] == search_texts
    for task in ("sums", "words"):
        (tasks / f"{task}.json").write_text((tmp_path / f"{task}.json").read_text())
    with bench_of(small, tasks, tmp_path) as bench:
        assert bench.seams.name == name


def test_the_beginnings_of_a_whole_source_are_read_through_the_seam_before_the_head(small, tmp_path):
    tasks = write_tasks(tmp_path / "tasks")
    with bench_of(small, tasks, tmp_path) as bench:
        whole = Recipe.identity(bench.checkpoints["one"].source, 4)
        (found,) = bench.screen.prefixes([whole])
        cut = prefix(whole, 2)
        seamed, plain = bench.screen.early([replace(cut, seam=bench.seams.name), cut])
        assert found[1].values == seamed.values != plain.values
        assert found[3].values == bench.screen([whole])[0].values


def test_what_must_be_written_is_written_by_the_model_with_its_seams_in_it(small, tmp_path):
    tasks = write_small_tasks(tmp_path / "tasks")
    sources = [Checkpoint.open(name, path) for name, path in small.sources.items()]
    named = {source.name: source.source for source in sources}
    stack = Recipe.build([LayerRef("one", 0), LayerRef("two", 2), LayerRef("one", 3)], "one", "one", named)
    with Workbench.open(
        sources,
        [Objective("write", "write", "letters")],
        include=[tasks],
        store=tmp_path / "store.sqlite",
        machine=Machine(device="cpu", workers=0),
        items=Items(4),
        seam="rotation",
    ) as bench:
        seamed = replace(stack, seam=bench.seams.name)
        tokenizer, rows = AutoTokenizer.from_pretrained(small.sources["one"]), bench.seams._states.calibration.rows
        assert (
            tokenizer.decode(rows[0], skip_special_tokens=True) == documents(0, 1)[0]["question"]
        )  # no answer is given
        prompt = torch.tensor([rows[0]])
        with torch.no_grad():
            ours = bench.assemble(seamed)(prompt).logits
        hooked = hooked_logits(bench._bank, seamed.content, prompt, bench.seams.of([seamed.content]))
        torch.testing.assert_close(ours, hooked, atol=0.05, rtol=0)  # of bfloat16 weights, rounded once more
        assert len({scores.values for scores in bench.screen([stack, seamed])}) == 2
