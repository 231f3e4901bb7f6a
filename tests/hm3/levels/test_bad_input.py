"""Whatever a parameter level cannot work with is one line before the work begins; what goes wrong in it ends no run."""

import shutil

import pytest

from hm3 import export, merge_judge, search, train
from hm3.levels import MergeSearch
from hm3.levels.pareto_merging import _tell
from hm3.parameter.pareto import TrainingRecord
from hm3.runs import RunFolder
from hm3.sealed import unsealed
from tests.hm3.levels.conftest import LEVELS
from tests.tiny import write_checkpoint
from tests.tiny_families import SAMPLES, write_source

MM_MO, PARETO, MAP = "parameter=mm_mo", "parameter=pareto_merging", "parameter=map"
ALONE = "~sources.experts.words"
TRAIN = {
    "architecture": ("architecture=both", "architecture: search or none, got 'both'"),
    "level": ("parameter=stir", "parameter: one of map, mm_mo, none, pareto_merging, preference_weighted, got 'stir'"),
    "unknown objective": (f"{MM_MO} +preference.weights={{chess:1}}", "objectives are sums, words, got 'chess'"),
    "design": (f"{MM_MO} parameter.budget=9", "parameter.budget: at least the initial design's 10, got 9"),
    "MAP's design": (f"{MAP} parameter.budget=5", "parameter.budget: at least the initial design's 12, got 5"),
    "budget text": (f"{MM_MO} parameter.budget=all", "parameter.budget: an integer of at least 1, got 'all'"),
    "searched": (
        f"{MM_MO} parameter.searched={{spice:[0,1]}}",
        "merge dare_ties: searched settings are density, weight, got spice",
    ),
    "bounds": (
        f"{MM_MO} parameter.searched={{weight:[1,0]}}",
        "bounds of weight are two numbers, the lower first, got [1, 0]",
    ),
    "nothing to search": (f"{MM_MO} parameter.method=slerp", "merge slerp: has no settings to search"),
    "method": (f"{MM_MO} parameter.method=stir", "merge method: one of", "got 'stir'"),
    "setting": (f"{MM_MO} +parameter.settings.spice=1", "merge dare_ties: settings are", "got spice"),
    "setting's plus": (f"{MM_MO} parameter.settings.seed=1", "to add it write +parameter.settings.seed=..."),
    "blocks": (f"{MM_MO} parameter.blocks=5", "merge blocks: from 1 to 4, the number of layers, got 5"),
    "proposer": (
        f"{MM_MO} parameter.proposer.initial=1",
        "parameter.proposer.initial: an integer of at least 2, got 1",
    ),
    "single parent": (
        f"{PARETO} {ALONE} parameter.method=slerp ~parameter.settings.lambda",
        "merge slerp: exactly 2 parents, got 1",
    ),
    "single parent stated": (f"{ALONE} parameter.method=slerp", "merge slerp: exactly 2 parents, got 1"),
    "no base": (f"{MM_MO} sources.base=null", "source base: a folder or zoo:NAME, got None"),
    "seam": (f"{PARETO} env.seam=scale", "seam"),
    "losses": (f"{PARETO} parameter.losses=spite", "parameter.losses: one of data_free, entropy, task, got 'spite'"),
    "scalarisation": (
        f"{PARETO} parameter.scalarisation=max",
        "parameter.scalarisation: one of linear, smooth_tchebycheff",
    ),
    "agent": (f"{PARETO} agent.width=0", "agent.width: an integer from 1 to 4096, got 0"),
    "rank": (f"{PARETO} parameter.rank=0", "parameter.rank: an integer of at least 1, got 0"),
    "training": (
        f"{PARETO} parameter.training={{stepz:3}}",
        "parameter.training.stepz: no such setting",
        "did you mean steps?",
    ),
    "training's plus": (f"{PARETO} +parameter.training.stepz=3", "parameter.training", "stepz"),
    "steps": (f"{PARETO} parameter.training.steps=-1", "steps: an integer of at least 0, got -1"),
    "training items": ("evaluator.training=2", "evaluator.training: a finite number from 0 to 1, got 2"),
    "nothing to train on": (
        f"{PARETO} evaluator.training=0",
        "evaluator.training: a finite number above 0 and at most 1, got 0",
    ),
    "base's weights": (
        f"{PARETO} parameter.weights=[1]",
        "merge task_arithmetic: one weight for each of 2 parents, got 1",
    ),
    "corners": (f"{PARETO} parameter.preferences.corners=2", "corners: a finite number from 0 to 1, got 2"),
    "no expert": (f"{MM_MO} sources.experts.sums.objectives=[] sources.experts.words.objectives=[]", "got 0"),
    "no expert to train": (f"{PARETO} sources.experts.sums.objectives=[] sources.experts.words.objectives=[]", "got 0"),
}
NEEDED = {"mm_mo": 3 + 5, "map": 3 + 5, "pareto_merging": 3 + 4}  # sources; merges, or a lattice and the user's own


@pytest.fixture
def refused(invoke, small, tmp_path):
    """The one line with which a training that cannot be is refused, before there is any result."""

    def refused(*overrides):
        done = invoke(train.main, *small.overrides, *overrides, f"hydra.run.dir={tmp_path / 'run'}")
        return one_line(done)

    return refused


def one_line(done):
    assert (done.code, done.err.count("\n")) == (2, 1), done.err
    assert done.err.startswith("error: ")
    return done.err


@pytest.mark.parametrize("mistake", TRAIN)
def test_a_setting(refused, tmp_path, mistake):
    overrides, *parts = TRAIN[mistake]
    line = refused(*overrides.split(" "))
    assert all(part in line for part in parts), line
    assert {path.name for path in (tmp_path / "run").glob("*")} <= {".hydra", "metrics.jsonl"}


@pytest.mark.parametrize("level", [level for level in LEVELS if level != "none"])
def test_sources_of_another_depth(refused, tmp_path, level):
    shallow = write_checkpoint(tmp_path / "shallow", depth=3)
    line = refused(f"parameter={level}", f"sources.experts.sums.path={shallow}")
    assert "merge: base and sums must have the same tensors" in line, line


def test_families_whose_experts_memory_packs_cannot_be_trained_on_texts(refused, small, invoke, tmp_path, monkeypatch):
    sample = next(each for each in SAMPLES if each.model_type == "mixtral")
    names = ("base", "sums", "words")
    base, *experts = (write_source(tmp_path / name, sample, depth=4, seed=seed).path for seed, name in enumerate(names))
    near = (f"sources.experts.{name}.path={path}" for name, path in zip(names[1:], experts, strict=True))
    stated = (f"sources.base={base}", *near)
    with monkeypatch.context() as patch:
        patch.setattr("hm3.levels.ParetoMerging.__call__", never)
        line = refused(PARETO, *stated)
    assert "losses on texts need weight matrices" in line, line
    assert "losses=data_free works" in line
    data_free = ("parameter.losses=data_free", "parameter.rank=2", "parameter.training={steps:1}", "architecture=none")
    done = invoke(train.main, *small.overrides, PARETO, *stated, *data_free, f"hydra.run.dir={tmp_path / 'works'}")
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (
            TrainingRecord((1.0, float("nan")), ((0, 1.0), (2, float("nan"))), "not finite"),
            ["after step 2", "step 0 is"],
        ),
        (TrainingRecord((1.0, 1.0), ((0, 1.0), (2, 1.1)), "steps"), ["no validation was better than the start"]),
        (TrainingRecord((1.0, 0.9), ((0, 1.0), (2, 0.9)), "steps"), []),
        (TrainingRecord((), ((0, 1.0),), "steps"), []),
    ],
)
def test_a_training_that_brings_nothing_says_so(caplog, record, told):
    _tell(record)
    assert len(caplog.messages) == bool(told)
    assert all(part in caplog.text for part in told)


def test_a_training_that_leaves_the_finite_numbers_says_so_and_keeps_what_was_finite(words, invoke, tmp_path, caplog):
    stated = ("parameter.training.learning_rate=1e30", f"hydra.run.dir={tmp_path / 'run'}")
    done = invoke(train.main, *words("pareto_merging"), *stated)
    assert (done.code, done.err) == (0, "")
    [line] = [line for line in caplog.messages if line.startswith("pareto_merging: ")]
    assert "training ended after step 3, no finite loss; step 0 is kept" in line
    assert "parameter.training.learning_rate" in line


@pytest.mark.parametrize("level", NEEDED)
@pytest.mark.parametrize("architecture", ["search", "none"])
def test_a_budget_that_sources_and_merges_use_up(words, invoke, tmp_path, monkeypatch, level, architecture):
    monkeypatch.setattr("hm3.levels.MergeSearch.__call__", never)
    monkeypatch.setattr("hm3.levels.ParetoMerging.__call__", never)
    needed, least = NEEDED[level], NEEDED[level] + (architecture == "search")
    stated = ["rivals=0", f"budget.evaluations={least - 1}", f"hydra.run.dir={tmp_path / 'run'}"]
    line = one_line(invoke(train.main, *words(level, architecture), *stated))
    assert f"budget.evaluations: at least {least} (sources and merges take {needed}), got {least - 1}" in line


def test_a_budget_that_is_just_enough_for_merges_alone(words, invoke, tmp_path):
    stated = ["rivals=0", f"budget.evaluations={NEEDED['mm_mo']}", f"hydra.run.dir={tmp_path / 'run'}"]
    done = invoke(train.main, *words("mm_mo", "none"), "export=false", *stated)
    assert (done.code, done.err) == (0, "")
    assert RunFolder(tmp_path / "run").read_front().evaluations == NEEDED["mm_mo"]


def never(*_):
    raise AssertionError("the work began")


@pytest.fixture
def searched(words, invoke, tmp_path, caplog):
    """A search with MM-MO in which something goes wrong: what it judged, its front, and what it said."""

    def searched(*more):
        done = invoke(train.main, *words("mm_mo"), "export=false", *more, f"hydra.run.dir={tmp_path / 'run'}")
        assert (done.code, done.err) == (0, "")
        run = RunFolder(tmp_path / "run")
        return unsealed(run.parameter), run.read_front(), caplog.messages

    return searched


def test_an_objective_that_is_constant(searched, monkeypatch):
    values = MergeSearch._values
    monkeypatch.setattr(MergeSearch, "_values", lambda *given: [0.5, *values(*given)[1:]])
    content, _, said = searched("rivals=0")
    assert len(content["judged"]) == 5
    assert said == ["objective sums: constant so far at 0.5, left out of the model"]


def test_an_objective_in_which_no_source_scores(words, invoke, tmp_path, monkeypatch):
    monkeypatch.setattr(MergeSearch, "__call__", never)
    stated = ["tasks.objectives.sums.metric=exact", f"hydra.run.dir={tmp_path / 'run'}"]
    assert "best 0.0" in one_line(invoke(train.main, *words("mm_mo"), *stated))


@pytest.mark.parametrize("failing", [{2}, {1, 2, 3, 4, 5}])
def test_merges_without_a_score(searched, monkeypatch, failing):
    change, count = merge_judge._change, []

    def nan_at_times(*arguments):
        count.append(1)
        return float("nan") if len(count) in failing else change(*arguments)

    monkeypatch.setattr(merge_judge, "_change", nan_at_times)
    content, front, said = searched("rivals=0")
    judged = [candidate["scores"]["valid"] for candidate in content["judged"]]
    assert judged == [number not in failing for number in range(1, 6)]
    assert len(content["sources"]) == min(2, judged.count(True))
    invalid = {each["recipe"]["sources"][0]["digest"] for each in content["judged"] if not each["scores"]["valid"]}
    assert not invalid & {member.recipe.sources[0].digest for member in front.candidates}
    assert any(f"{len(failing & {1, 2, 3})} of 3 merges gave no scores" in line for line in said), said


def test_a_preference_for_an_objective_that_a_past_run_has_not(ran, invoke, tmp_path):
    run = ran("pareto_merging", "none")
    weights = "+preference.weights={chess:1}"
    done = invoke(export.main, f"run='{run.path}'", PARETO, weights, f"out={tmp_path / 'out'}")
    assert "preference.weights: objectives are sums, words, got 'chess'" in one_line(done)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        ((PARETO, "candidate=01"), "parameter: pareto_merging, which has a model for every preference, or none"),
        ((MM_MO,), "got 'mm_mo'"),
        (("parameter=stir",), "parameter: one of map, mm_mo"),
    ],
)
def test_an_export_of_what_there_is_not(ran, invoke, tmp_path, words, part):
    run = ran("pareto_merging", "none")
    assert part in one_line(invoke(export.main, f"run='{run.path}'", *words, f"out={tmp_path / 'out'}"))


def cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def changed(file):
    content = bytearray(file.read_bytes())
    content[-100] ^= 1
    file.write_bytes(bytes(content))


DAMAGES = {
    "parameter.json cut": ("parameter.json", cut),
    "parameter.json changed": ("parameter.json", changed),
    "tensor cut": ("pareto_merging.tensors", cut),
    "tensor changed": ("pareto_merging.tensors", changed),
    "tensor gone": ("pareto_merging.tensors", lambda file: file.unlink()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_run_folder_that_is_damaged(ran, invoke, tmp_path, damage):
    name, damaged = DAMAGES[damage]
    moved = shutil.copytree(ran("pareto_merging", "search").path, tmp_path / "moved")
    damaged(moved / name)
    done = invoke(export.main, f"run={moved}", PARETO, f"out={tmp_path / 'out'}")
    assert str(moved / name) in one_line(done)
    done = invoke(search.main, f"run={moved}", f"hydra.run.dir={tmp_path / 'new'}", "hydra/job_logging=none")
    assert str(moved / name) in one_line(done)
    assert not (tmp_path / "new/start.json").exists()
