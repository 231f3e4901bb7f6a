"""Texts to train on come from the items that are kept for it, with their reference answers."""

import tempfile
from pathlib import Path

import pytest

from hm3.checkpoints import Checkpoint
from hm3.evaluation import load_tasks, split
from hm3.machine import Items, Machine
from hm3.objectives import Objective
from hm3.workbench import Workbench
from tests.tiny import write_checkpoint
from tests.tiny_tasks import write_tasks

KINDS = {"sums": "likelihood", "choose": "acc", "write": "exact_match", "shots": "likelihood"}


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Task -> the texts, in words."""
    folder = tmp_path_factory.mktemp("texts")
    checkpoint = Checkpoint.open("base", write_checkpoint(folder / "base"))
    objectives = [Objective(name, name, metric) for name, metric in KINDS.items()]
    options = {"machine": Machine(device="cpu", workers=0), "items": Items(screen=3, training=0.4)}
    include = [write_tasks(folder / "tasks")]
    with Workbench.open([checkpoint], objectives, include=include, store=folder / "store.sqlite", **options) as bench:
        found = bench.texts()
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint.path)

    def words(tokens):
        return tokenizer.decode(tokens).replace("<unk>", "\n")  # it has no line feed

    return {
        name: {(words(text.tokens[1 : text.prompt]), words(text.tokens[text.prompt :])) for text in texts}
        for name, texts in found.items()
    }


def own(name):
    """The documents that a task keeps for training."""
    folder = write_tasks(Path(tempfile.mkdtemp()))
    return list(split(name, load_tasks([name], [folder])[name], training=0.4).training.values())


def test_they_are_the_items_that_are_kept_for_it_and_no_others(read):
    for name, texts in read.items():
        asked = {document["question"].strip() for document in own(name)}
        assert len(asked) == 4
        assert {prompt.split("\n")[-1].strip() for prompt, _ in texts} == asked


def test_a_loglikelihood_task_gives_its_answer(read):
    found = {(prompt, answer.lstrip(" ")) for prompt, answer in read["sums"]}  # lm-eval moves spaces into the answer
    assert found == {(each["question"].strip(), each["answer"]) for each in own("sums")}


def test_of_given_answers_it_is_the_right_one(read):
    assert {answer.strip() for _, answer in read["choose"]} == {
        document["choices"][document["label"]] for document in own("choose")
    }


def test_where_models_write_it_is_the_documents_answer(read):
    assert {answer.strip() for _, answer in read["write"]} == {document["answer"].strip() for document in own("write")}


def test_examples_come_along(read):
    assert all(prompt.count("\n\n\n") == 2 for prompt, _ in read["shots"])
