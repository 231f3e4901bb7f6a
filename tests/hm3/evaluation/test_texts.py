"""Texts to train on come from search items, with their reference answers."""

import pytest

from hm3.checkpoints import Checkpoint
from hm3.machine import Items, Machine
from hm3.objectives import Objective
from hm3.workbench import Workbench
from tests.tiny import write_checkpoint
from tests.tiny_tasks import documents, write_tasks

KINDS = {"sums": "likelihood", "choose": "acc", "write": "exact_match", "shots": "likelihood"}


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Task -> the texts, in words."""
    folder = tmp_path_factory.mktemp("texts")
    checkpoint = Checkpoint.open("base", write_checkpoint(folder / "base"))
    objectives = [Objective(name, name, metric) for name, metric in KINDS.items()]
    options = {"machine": Machine(device="cpu", workers=0), "items": Items(screen=3)}
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


def test_they_are_the_search_items_and_no_others(read):
    asked = {document["question"].strip() for document in documents(0, 10)}
    for texts in read.values():
        assert {prompt.split("\n")[-1].strip() for prompt, _ in texts} == asked


def test_a_loglikelihood_task_gives_its_answer(read):
    assert ("2 + 3 =", "5\n") in read["sums"]


def test_of_given_answers_it_is_the_right_one(read):
    assert {answer.strip() for _, answer in read["choose"]} == {
        document["choices"][document["label"]] for document in documents(0, 10)
    }


def test_where_models_write_it_is_the_documents_answer(read):
    assert {answer.strip() for _, answer in read["write"]} == {
        document["answer"].strip() for document in documents(0, 10)
    }


def test_examples_come_along(read):
    assert all(prompt.count("\n\n\n") == 2 for prompt, _ in read["shots"])
