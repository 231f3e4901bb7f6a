"""A stack reads with the tokenizer and the longest input of its embedding's source: reported and exported alike."""

import json
import shutil

import pytest

from hm3.checkpoints import Checkpoint, check_compatible
from hm3.errors import TaskError
from hm3.evaluation import load_tasks, report_documents
from hm3.evaluation.reading import readers_of, tokenizer_in
from hm3.machine import Items, Machine
from hm3.model_folder import write_model
from hm3.objectives import Objective
from hm3.recipe import LayerRef, Recipe
from hm3.stock import stock_metrics
from hm3.workbench import Workbench
from tests.tiny import edit_config, write_checkpoint
from tests.tiny_tasks import write_tasks

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of lm-eval's and datasets' own dependencies
]
LOCAL = Machine(device="cpu", workers=0)
METRICS = {"sums": "likelihood", "choose": "acc", "write": "letters"}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    raw = write_checkpoint(folder / "raw")
    return {name: write_checkpoint(folder / name, near=raw, noise=0.15, seed=i) for i, name in enumerate("ab")}


@pytest.fixture
def pair(models, tmp_path):
    """Two sources, the second of which may be changed."""
    return {"a": models["a"], "b": shutil.copytree(models["b"], tmp_path / "b")}


def edit(file, change):
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def reported_and_stock(pair, folder):
    """Every metric of a stack in the embedding of the second source, twice."""
    include = write_tasks(folder / "tasks")
    checkpoints = {name: Checkpoint.open(name, path) for name, path in pair.items()}
    check_compatible(list(checkpoints.values()), "host")
    sources = {name: checkpoint.source for name, checkpoint in checkpoints.items()}
    recipe = Recipe.build([LayerRef("b", 0), LayerRef("a", 1), LayerRef("b", 3)], "b", "a", sources)
    objectives = [Objective(name, name, metric) for name, metric in METRICS.items()]
    parts = {"include": [include], "store": folder / "store", "machine": LOCAL, "items": Items(screen=4)}
    with Workbench.open(checkpoints.values(), objectives, **parts) as bench:
        (report,) = bench.test.reports([recipe])
    tasks = load_tasks(list(METRICS), [include])
    numbers = {name: list(report_documents(name, task)) for name, task in tasks.items()}
    model = write_model(folder / "model", recipe, checkpoints, "")
    return report.metrics, stock_metrics(model, tasks, numbers)


def test_another_end_of_text_ends_generation_as_in_the_exported_model(pair, tmp_path):
    plain, _ = reported_and_stock(pair, tmp_path / "plain")
    edit(pair["b"] / "tokenizer_config.json", lambda settings: settings.update(eos_token="e"))
    ours, theirs = reported_and_stock(pair, tmp_path / "other")
    assert ours == pytest.approx(theirs, abs=1e-6)
    assert ours != plain  # so that the setting mattered


def test_a_shorter_longest_input_is_no_matter_where_nothing_is_cut(pair, tmp_path):
    edit_config(pair["b"], max_position_embeddings=64)
    ours, theirs = reported_and_stock(pair, tmp_path)
    assert ours == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize(("family", "key"), [("llama", "max_position_embeddings"), ("gpt2", "n_positions")])
def test_the_longest_input_is_the_one_that_the_family_means(family, key, tmp_path):
    settings = {"n_layer": 2, "n_embd": 32, "n_head": 4} if family == "gpt2" else {}
    path = write_checkpoint(tmp_path / family, family=family, depth=2, settings=settings)
    edit_config(path, **{key: 77})
    (reader,) = readers_of([Checkpoint.open("x", path)], tokenizer_in)
    assert reader.length == 77


def test_a_text_that_one_source_cuts_is_refused(pair, tmp_path):
    edit_config(pair["b"], max_position_embeddings=12)
    with pytest.raises(TaskError, match=r"task sums, item \d: the same tokens for every source, got others for b than"):
        reported_and_stock(pair, tmp_path)


def test_tokenizers_that_read_differently_are_refused(pair, tmp_path):
    edit(pair["b"] / "tokenizer.json", lambda tokenizer: tokenizer.update(post_processor=None))  # no <s> in front
    with pytest.raises(TaskError, match=r"task sums, item \d: the same tokens for every source, got others for b than"):
        reported_and_stock(pair, tmp_path)
