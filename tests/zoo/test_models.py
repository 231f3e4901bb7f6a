import json

import lm_eval
import pytest
import torch
from lm_eval.tasks import TaskManager
from safetensors.torch import load_file
from transformers import AutoTokenizer, LlamaForCausalLM

import hm3.zoo
from scripts.zoo import acceptance, scoring

LIMIT = 24


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def encoded():
    return acceptance.test_items(hm3.zoo.MODELS)


@pytest.mark.parametrize("name", hm3.zoo.SOURCES)
def test_a_source_is_a_small_bf16_llama(name):
    weights = load_file(hm3.zoo.source_path(name) / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.bfloat16}
    assert sum(tensor.numel() for tensor in weights.values()) <= 1_000_000
    assert "lm_head.weight" in weights
    config = json.loads((hm3.zoo.source_path(name) / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert (config["num_hidden_layers"], config["hidden_size"]) == (8, 96)
    assert config["max_position_embeddings"] == 128
    assert not config["tie_word_embeddings"]


def test_the_zoo_weighs_at_most_eight_megabytes():
    folders = (hm3.zoo.MODELS, hm3.zoo.TASKS, hm3.zoo.ITEMS)
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    assert sum(file.stat().st_size for file in files) <= 8_000_000


@pytest.mark.parametrize(
    ("name", "task"), [("base", "math"), ("math", "math"), ("code", "code"), ("translation", "translation")]
)
def test_recorded_scores_are_what_the_models_reach(name, task, encoded):
    record = json.loads((hm3.zoo.MODELS / "acceptance.json").read_text())
    recorded = acceptance.parse(record["sources"])[name][task]
    score = scoring.score(acceptance.load(hm3.zoo.source_path(name)), encoded[task])
    assert score.exact_match == pytest.approx(recorded.exact_match, abs=0.004)
    assert score.answer_likelihood == pytest.approx(recorded.answer_likelihood, abs=1e-4)


def test_recorded_scores_obey_the_rules():
    record = json.loads((hm3.zoo.MODELS / "acceptance.json").read_text())
    tables = (acceptance.parse(record["sources"]), acceptance.parse(record["averages"]))
    assert [verdict.rule for verdict in acceptance.judge(*tables) if not verdict.passed] == []


def test_a_base_that_knows_everything_is_refused():
    perfect = {task: scoring.Score(1.0, 1.0) for task in hm3.zoo.EXPERTS}
    table = dict.fromkeys(hm3.zoo.SOURCES, perfect)
    assert not any(verdict.passed for verdict in acceptance.judge(table, table))


def test_the_lattice_has_every_point_once():
    points = list(acceptance.lattice(3, 4))
    assert len(points) == len(set(points)) == 15
    assert {sum(point) for point in points} == {4}


@pytest.mark.filterwarnings("ignore")
def test_stock_lm_eval_agrees(encoded):
    results = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": str(hm3.zoo.source_path("math")), "dtype": "float32"},
        tasks=[f"hm3_{task}" for task in hm3.zoo.EXPERTS],
        task_manager=TaskManager(include_path=str(hm3.zoo.TASKS), include_defaults=False),
        limit=LIMIT,
        device="cpu",
        batch_size=8,
        bootstrap_iters=0,
    )["results"]
    model = acceptance.load(hm3.zoo.source_path("math"))
    for task in hm3.zoo.EXPERTS:
        ours = scoring.score(model, encoded[task][:LIMIT])
        assert results[f"hm3_{task}"]["exact_match,none"] == ours.exact_match
        assert results[f"hm3_{task}"]["answer_likelihood,none"] == pytest.approx(ours.answer_likelihood, abs=1e-5)


def test_generation_stops_after_the_answer():
    folder = hm3.zoo.source_path("math")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prompt = tokenizer("3+4=", return_tensors="pt")
    tokens = model.generate(**prompt, do_sample=False, max_new_tokens=12)[0, prompt.input_ids.shape[1] :]
    assert tokenizer.decode(tokens).count("\n") == 1
