import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from hm3 import export, search, train
from hm3.recipe import Recipe
from hm3.runs import RunFolder
from hm3.tracking import read_metrics

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "hm3" / "front.schema.json").read_text())
WEIGHTS = "+preference.weights={sums:0.7,words:0.3}"


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def trained(small, runs, invoke):
    """The main job, run once for all tests here."""
    folder = runs / "trained"
    if not folder.exists():
        done = invoke(train.main, *small.overrides, WEIGHTS, f"hydra.run.dir={folder}")
        assert (done.code, done.err) == (0, "")
        (folder / "console.txt").write_text(done.out)
    return RunFolder(folder)


def test_the_run_folder_is_whole(trained):
    files = {path.name for path in trained.path.iterdir()}
    assert files >= {".hydra", "policy.zip", "front.json", "front.png", "metrics.jsonl", "model", "pool.json"}
    assert {"report.html", "start.json"} <= files
    jsonschema.validate(json.loads(trained.front.read_text()), SCHEMA)
    assert not any("partial" in path.name for path in trained.path.rglob("*"))
    assert not (trained.path / "wandb").exists()


def test_the_front_is_what_was_asked_for(trained):
    front = trained.read_front()
    assert front.preference.as_dict() == {"sums": 0.7, "words": 0.3}
    assert {model.name for model in front.sources} >= {"base", "sums", "words", "merge_sums67", "merge_words67_x1.5"}
    assert len(front.rivals) >= 2
    assert front.evaluations >= len(front.candidates)
    assert all(member.scores.test for member in front.candidates)


def test_progress_ends_where_it_should(trained):
    told = [line for line in (trained.path / "console.txt").read_text().splitlines() if line.endswith(" left")]
    stage, done = told[-1].split(",")[0].split()
    assert stage == "test"
    assert len(set(done.split("/"))) == 1


def test_metrics_are_told_rollout_by_rollout(trained):
    records = read_metrics(trained.metrics)
    assert [record["offline/rollout"] for record in records if "offline/rollout" in record] == [1, 2]
    assert records[-1]["summary"]["chosen"] == trained.read_front().chosen


def test_the_model_reloads_with_stock_transformers(trained):
    chosen = trained.read_front().chosen_member
    model = AutoModelForCausalLM.from_pretrained(trained.model, dtype=torch.float32)
    assert model.config.num_hidden_layers == chosen.recipe.depth
    tokens = AutoTokenizer.from_pretrained(trained.model)("1+1=", return_tensors="pt")
    assert model(tokens["input_ids"]).logits.isfinite().all()
    assert Recipe.from_json(json.loads((trained.model / "recipe.json").read_text())) == chosen.recipe


def test_stock_lm_eval_says_the_same(trained, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "hm3.evaluate", f"run={trained.path}"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert float(done.stdout.split("largest difference")[1]) <= 1e-4
    assert "tiny_sums/likelihood" in done.stdout
    assert not list(tmp_path.iterdir())


def test_the_same_seed_tells_the_same_story(trained, small, runs, invoke, monkeypatch):
    monkeypatch.setenv("HM3_CACHE", str(runs / "another cache"))
    done = invoke(train.main, *small.overrides, WEIGHTS, f"hydra.run.dir={runs / 'again'}")
    assert done.code == 0
    assert (runs / "again" / "front.json").read_bytes() == trained.front.read_bytes()


@pytest.fixture
def searched(trained, runs, invoke):
    """Another preference from the same policy, searched once."""
    folder = runs / "searched"
    if not folder.exists():
        quiet = ("hydra/job_logging=none", "hydra/hydra_logging=none")
        weights = "+preference.weights={words:1}"
        done = invoke(search.main, f"run={trained.path}", weights, f"hydra.run.dir={folder}", *quiet)
        assert (done.code, done.err) == (0, "")
        (folder / "console.txt").write_text(done.out)
    return RunFolder(folder)


def test_a_search_needs_no_training(searched):
    front = searched.read_front()
    assert front.preference.as_dict() == {"sums": 0.0, "words": 1.0}
    assert not (searched.path / "policy.zip").exists()
    assert "offline" not in (searched.path / "console.txt").read_text()
    assert AutoModelForCausalLM.from_pretrained(searched.model)


def test_a_search_starts_from_the_known_front(searched, trained):
    best, known = searched.read_front().chosen_member, trained.read_front().candidates
    assert best.scores.search["words"] >= max(member.scores.search["words"] for member in known)


def test_a_search_is_a_run_like_any_other(searched, invoke, tmp_path):
    done = invoke(export.main, f"run={searched.path}", f"out={tmp_path / 'model'}")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(searched.read_front().chosen[:8])


def test_export_by_preference_and_by_digest(trained, invoke, tmp_path):
    front = trained.read_front()
    last = front.candidates[-1].recipe
    by_digest = invoke(export.main, f"run={trained.path}", f"candidate={last.digest[:12]}", f"out={tmp_path / 'one'}")
    assert (by_digest.code, by_digest.err) == (0, "")
    assert Recipe.from_json(json.loads((tmp_path / "one" / "recipe.json").read_text())) == last
    weights = "+preference.weights={words:1}"
    by_preference = invoke(export.main, f"run={trained.path}", weights, f"out={tmp_path / 'two'}")
    assert (by_preference.code, by_preference.err) == (0, "")
    best = max(front.candidates, key=lambda member: member.scores.search["words"])
    written = Recipe.from_json(json.loads((tmp_path / "two" / "recipe.json").read_text()))
    assert written == best.recipe


def test_wandb_records_offline_without_a_login(small, runs, invoke, monkeypatch):
    monkeypatch.setenv("HOME", str(runs))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    few = ["offline.rollouts=1", "rivals=0", "export=false", "tracking.wandb=true"]
    done = invoke(train.main, *small.overrides, *few, f"hydra.run.dir={runs / 'offline'}")
    assert done.code == 0
    assert list((runs / "offline" / "wandb").glob("offline-run-*"))
