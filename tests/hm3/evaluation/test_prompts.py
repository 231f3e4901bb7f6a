"""Few-shot examples, chat template and system prompt: stock lm-eval's numbers, and nothing that leaks."""

import json
from types import SimpleNamespace

import pytest

from hm3.checkpoints import Checkpoint
from hm3.errors import ConfigurationError, TaskError
from hm3.evaluation import LocalScorer, Parts, Prompts, load_tasks, split
from hm3.evaluation.examples import doc_digest
from hm3.evaluation.tasks import TaskItems
from hm3.machine import Items, Machine
from hm3.model_folder import write_model
from hm3.objectives import Objective
from hm3.recipe import LayerRef, Recipe
from hm3.workbench import Workbench
from tests.tiny import write_checkpoint
from tests.tiny_tasks import documents, write_tasks

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of lm-eval's and datasets' own dependencies
]
LOCAL = Machine(device="cpu", workers=0)
TEMPLATE = (
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}[a]{% endif %}"
)
METRICS = {"sums": "likelihood", "choose": "acc", "write": "letters", "roll": "likelihood"}
TRAINED = "training_split: train\nnum_fewshot: null\n"
ROLL = """
def density(doc, results):
    return {"likelihood": math.exp(results[0] / len(doc["answer"]))}
"""


def tasks_with_examples(folder):
    """One task of each kind, with training documents to take examples from."""
    splits = {"train": documents(200, 12), "search": documents(0, 6), "test": documents(100, 4)}
    include = write_tasks(folder, splits, **dict.fromkeys(("sums", "choose", "write"), TRAINED))
    (include / "data.py").write_text((include / "data.py").read_text() + ROLL)
    sums = (include / "sums.yaml").read_text().replace("task: sums", "task: roll").replace(".likelihood", ".density")
    (include / "roll.yaml").write_text(sums.replace("output_type: loglikelihood", "output_type: loglikelihood_rolling"))
    return include


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    raw = write_checkpoint(folder / "raw")
    (raw / "chat_template.jinja").write_text(TEMPLATE)
    checkpoints = {}
    for seed, name in enumerate("ab"):
        path = write_checkpoint(folder / name, near=raw, noise=0.15, seed=seed)
        (path / "chat_template.jinja").write_text(TEMPLATE)
        checkpoints[name] = Checkpoint.open(name, path)
    sources = {name: checkpoint.source for name, checkpoint in checkpoints.items()}
    recipe = Recipe.build([LayerRef("a", 0), LayerRef("b", 1), LayerRef("b", 1)], "a", "b", sources)
    return SimpleNamespace(checkpoints=checkpoints, recipe=recipe, tasks=tasks_with_examples(folder / "tasks"))


def opened(lab, folder, prompts, names=tuple(METRICS), include=None):
    objectives = [Objective(name, name, METRICS[name]) for name in names]
    parts = {
        "include": [include or lab.tasks],
        "store": folder / "store.sqlite",
        "machine": LOCAL,
        "items": Items(screen=3),
    }
    return Workbench.open(lab.checkpoints.values(), objectives, prompts=prompts, **parts)


def simple(path, include, names, monkeypatch, **settings):
    """Numbers of the documented entry of lm-eval, called as its users do."""
    import lm_eval
    from lm_eval.tasks import TaskManager

    monkeypatch.setattr(
        "lm_eval.evaluator.add_env_info", lambda results: None
    )  # half a second of describing the machine
    manager = TaskManager(include_path=str(include), include_defaults=False)
    model = {"pretrained": str(path), "dtype": "float32"}
    found = lm_eval.simple_evaluate(
        "hf", model_args=model, tasks=list(names), task_manager=manager, device="cpu", bootstrap_iters=0, **settings
    )
    return {
        f"{name}/{metric.removesuffix(',none')}": value
        for name, metrics in found["results"].items()
        for metric, value in metrics.items()
        if isinstance(value, float)
    }


@pytest.mark.parametrize(
    ("shots", "settings"),
    [
        (2, {}),
        (0, {"system_instruction": "Add."}),
        (2, {"apply_chat_template": True, "fewshot_as_multiturn": True, "system_instruction": "Add."}),
        (2, {"apply_chat_template": True, "fewshot_as_multiturn": False}),
    ],
    ids=["shots", "system", "turns", "one turn"],
)
def test_numbers_are_those_of_simple_evaluate(lab, tmp_path, monkeypatch, shots, settings):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    prompts = Prompts(dict.fromkeys(METRICS, shots), **settings)
    with opened(lab, tmp_path, prompts) as bench:
        (ours,) = bench.test.reports([lab.recipe])
    model = write_model(tmp_path / "model", lab.recipe, lab.checkpoints, "")
    theirs = simple(model, lab.tasks, METRICS, monkeypatch, num_fewshot=shots, **settings)
    assert set(ours.metrics) == set(theirs)
    assert ours.metrics == pytest.approx(theirs, abs=1e-6)


def test_the_store_keeps_prompts_apart(lab, tmp_path, monkeypatch):
    asked = []
    score = LocalScorer.score
    monkeypatch.setattr(LocalScorer, "score", lambda *a, **k: asked.append(1) or score(*a, **k))
    ways = [
        Prompts(),
        Prompts({"sums": 1}),
        Prompts({"sums": 2}),
        Prompts(system_instruction="Add."),
        Prompts(apply_chat_template=True),
    ]
    for prompts in (*ways, *ways):
        with opened(lab, tmp_path, prompts, ("sums",)) as bench:
            bench.screen([lab.recipe])
    assert len(asked) == len(ways)


def parts_of(folder, splits, shots, *, changes=""):
    include = write_tasks(folder, splits, sums=changes)
    tasks = load_tasks(["sums"], [include])
    Prompts({"sums": shots}).set_shots(tasks)
    chosen = {"sums": split("sums", tasks["sums"])}
    return chosen["sums"], Parts.build(tasks, chosen, 4)


def test_training_documents_that_the_report_shows_are_not_searched(tmp_path):
    docs = {"train": documents(0, 30), "test": documents(100, 4)}
    splits, parts = parts_of(tmp_path, docs, 2, changes="validation_split: null\ntraining_split: train\n")
    searched = set(map(doc_digest, splits.search.values()))
    reported = set(map(doc_digest, splits.test.values()))
    shown = parts.test.items[0].examples
    everything = set(map(doc_digest, docs["train"]))
    assert 2 <= len(shown) <= 8
    assert searched == everything - shown  # what the report doesn't show may steer the search
    for part in (parts.screen, parts.rest):
        assert part.items[0].examples <= everything - searched
        assert not part.items[0].examples & reported


def test_examples_of_the_report_are_lm_evals_own(tmp_path):
    """Leaving documents out of the search doesn't change what is shown in the report."""
    docs = {"train": documents(0, 30), "test": documents(100, 4)}
    _, parts = parts_of(tmp_path, docs, 2, changes="validation_split: null\ntraining_split: train\n")
    task = load_tasks(["sums"], [tmp_path])["sums"]
    Prompts({"sums": 2}).set_shots({"sums": task})
    untouched = TaskItems.build("sums", task, dict(enumerate(task.eval_docs)))
    assert untouched.digest == parts.test.items[0].digest


@pytest.mark.parametrize(
    ("changes", "docs", "reason"),
    [
        ("validation_split: null\n", {"test": documents(0, 20)}, "examples that are not questions of the report"),
        (
            "validation_split: null\ntraining_split: train\n",
            {"train": documents(0, 4), "test": documents(100, 20)},
            "search documents that the report doesn't show as examples, got none",
        ),
        (
            "fewshot_split: search\n",
            {"search": documents(0, 40), "test": documents(100, 1)},
            "for 2 examples at least 3 documents that are neither searched nor reported on, got 2",
        ),
        (
            "training_split: train\n",
            {"train": documents(200, 1), "search": documents(0, 6), "test": documents(100, 4)},
            "for 2 examples at least 3 documents",
        ),
    ],
    ids=["only the report", "too few to search", "too few beside the search", "too few at all"],
)
def test_examples_that_cannot_be_had_are_refused(tmp_path, changes, docs, reason):
    with pytest.raises(TaskError, match=f"task sums: {reason}.*fewshot_split"):
        parts_of(tmp_path, docs, 2, changes="num_fewshot: null\n" + changes)


def test_a_task_that_fixes_its_number_of_examples_keeps_it(tmp_path):
    include = write_tasks(tmp_path, sums="num_fewshot: 0\n")
    with pytest.raises(TaskError, match="task sums: its own file fixes num_fewshot: 0, which lm-eval keeps, got 5"):
        Prompts({"sums": 5}).set_shots(load_tasks(["sums"], [include]))


@pytest.mark.parametrize(
    ("template", "told"), [(None, "got none in a"), ("{{ messages[0].content }}", "got another in b")]
)
def test_one_chat_template_is_needed(lab, tmp_path, template, told):
    paths = {name: write_checkpoint(tmp_path / name) for name in "ab"}
    if template:
        (paths["a"] / "chat_template.jinja").write_text(TEMPLATE)
        (paths["b"] / "chat_template.jinja").write_text(template)
    given = SimpleNamespace(checkpoints={n: Checkpoint.open(n, p) for n, p in paths.items()}, tasks=lab.tasks)
    with pytest.raises(ConfigurationError, match=f"tasks.apply_chat_template: .*, {told}"):
        opened(given, tmp_path, Prompts(apply_chat_template=True))


def test_settings_of_generation_pass_through(lab, tmp_path):
    include = write_tasks(tmp_path / "tasks", write='generation_kwargs: {until: ["x", "\\n"], max_gen_toks: 3}\n')
    with opened(lab, tmp_path, Prompts(), ("write",), include) as bench:
        asked = bench.test._parts[0].items[0].instances[0].arguments[1]
    assert json.dumps(asked, sort_keys=True) == '{"max_gen_toks": 3, "until": ["x", "\\n"]}'
