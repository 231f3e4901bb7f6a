"""What steers the search is never what the report is made of."""

import pytest

from hm3.errors import TaskError
from hm3.evaluation import Parts, TaskItems, load_tasks, split
from tests.tiny import write_checkpoint
from tests.tiny_tasks import documents, write_tasks


def loaded(folder, name="sums", splits=None, **changes):
    return load_tasks([name], [write_tasks(folder, splits, **changes)])[name]


def questions(docs):
    return {doc["question"] for doc in docs.values()}


def test_search_items_are_the_validation_documents_and_test_items_lm_evals_own(tmp_path):
    splits = split("sums", loaded(tmp_path))
    assert questions(splits.search) == {doc["question"] for doc in documents(0, 10)}
    assert questions(splits.test) == {doc["question"] for doc in documents(100, 8)}
    assert list(splits.test) == list(range(8))


def test_limits_take_the_first_documents(tmp_path):
    splits = split("sums", loaded(tmp_path), 3, 2)
    assert [doc["question"] for doc in splits.search.values()] == [doc["question"] for doc in documents(0, 3)]
    assert [doc["question"] for doc in splits.test.values()] == [doc["question"] for doc in documents(100, 2)]


def test_a_share_of_the_search_documents_is_kept_for_training_and_judges_nothing(tmp_path):
    splits = split("sums", loaded(tmp_path), training=0.5)
    assert (len(splits.search), len(splits.training)) == (5, 5)
    assert questions(splits.search) | questions(splits.training) == {doc["question"] for doc in documents(0, 10)}
    assert split("sums", loaded(tmp_path), training=0.5) == splits  # drawn once and for all


def test_limits_leave_what_is_kept_for_training_alone(tmp_path):
    task = loaded(tmp_path)
    assert split("sums", task, 2, training=0.5).training == split("sums", task, training=0.5).training
    assert list(split("sums", task, 2, training=0.5).search) == list(split("sums", task, training=0.5).search)[:2]


def test_whatever_is_kept_for_training_one_search_document_judges(tmp_path):
    splits = split("sums", loaded(tmp_path), training=1.0)
    assert (len(splits.search), len(splits.training)) == (1, 9)


def test_without_a_test_split_validation_is_reported_and_training_searched(tmp_path):
    task = loaded(tmp_path, sums="test_split: null\ntraining_split: train\n")
    splits = split("sums", task)
    assert questions(splits.test) == {doc["question"] for doc in documents(0, 10)}
    assert questions(splits.search) == {doc["question"] for doc in documents(200, 6)}


def test_without_a_validation_split_training_is_searched(tmp_path):
    splits = split("sums", loaded(tmp_path, sums="validation_split: null\ntraining_split: train\n"))
    assert questions(splits.search) == {doc["question"] for doc in documents(200, 6)}


def test_a_task_with_one_split_is_cut_in_two(tmp_path):
    splits = split("sums", loaded(tmp_path, sums="validation_split: null\n"))
    assert (list(splits.search), list(splits.test)) == ([0, 1, 2, 3], [4, 5, 6, 7])


def test_a_task_with_one_document_cannot_be_cut(tmp_path):
    task = loaded(tmp_path, splits={"test": documents(0, 1)}, sums="validation_split: null\n")
    with pytest.raises(TaskError, match="task sums: documents to search and to report on, got 0 and 1"):
        split("sums", task)


def overlapping(common):
    """Five search documents, of which the first `common` are test documents under another id."""
    search = [{**doc, "id": f"s{i}"} for i, doc in enumerate(documents(0, 5))]
    test = [{**doc, "id": f"t{i}"} for i, doc in enumerate([*documents(50, 2), *documents(0, common)])]
    return {"search": search, "test": test}


def test_a_document_on_both_splits_is_left_out_of_the_search(tmp_path, caplog):
    splits = split("sums", loaded(tmp_path, splits=overlapping(2)))
    assert list(splits.search) == [2, 3, 4]
    assert list(splits.test) == [0, 1, 2, 3]
    assert caplog.messages == ["task sums: 2 of 5 search items are test items too and are left out"]


def test_splits_that_are_mostly_the_same_are_refused(tmp_path):
    task = loaded(tmp_path, splits=overlapping(3))
    with pytest.raises(TaskError, match="task sums: search and test documents must differ, got 3 of 5 on both"):
        split("sums", task)


def test_screen_and_rest_are_the_search_split_and_each_document_is_in_one(tmp_path):
    task = loaded(tmp_path)
    splits = {"sums": split("sums", task)}
    parts = Parts.build({"sums": task}, splits, 4)
    screen, rest, test = (part.items[0] for part in (parts.screen, parts.rest, parts.test))
    assert (len(screen.docs), len(rest.docs), len(test.docs)) == (4, 6, 8)
    assert sorted(screen.ids + rest.ids) == list(range(10))
    assert Parts.build({"sums": task}, splits, 4).screen.items[0].ids == screen.ids  # drawn once and for all
    assert screen.ids != (0, 1, 2, 3)


@pytest.mark.parametrize("answer", ["", " ", None])
def test_an_item_without_an_answer_is_named(tmp_path, answer):
    docs = [*documents(0, 3), {**documents(3, 1)[0], "answer": answer}]
    task = loaded(tmp_path, splits={"search": docs, "test": documents(50, 2)})
    with pytest.raises(TaskError, match="task sums, item 3: an answer that is not empty"):
        TaskItems.build("sums", task, split("sums", task).search)


@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_is_no_choice_is_named(tmp_path, label):
    docs = [*documents(0, 3), {**documents(3, 1)[0], "label": label}]
    task = loaded(tmp_path, "choose", {"search": docs, "test": documents(50, 2)})
    with pytest.raises(TaskError, match="task choose, item 3"):
        TaskItems.build("choose", task, split("choose", task).search)


def test_an_answer_that_models_cannot_take_is_named(tmp_path):
    from transformers import AutoTokenizer

    docs = [documents(0, 1)[0], {**documents(1, 1)[0], "answer": "7" * 40}]
    task = loaded(tmp_path / "tasks", splits={"search": docs, "test": documents(50, 2)})
    parts = Parts.build({"sums": task}, {"sums": split("sums", task)}, 2)
    tokenizer = AutoTokenizer.from_pretrained(write_checkpoint(tmp_path / "model", depth=1))
    with pytest.raises(TaskError, match="task sums, item 1: an answer of 1 to 32 tokens, got 4"):
        parts.rows(tokenizer, 32)


def test_a_task_that_asks_for_several_answers_is_refused(tmp_path):
    task = loaded(tmp_path, "write", write="repeats: 3\n")
    with pytest.raises(TaskError, match="task write: one answer for each request"):
        TaskItems.build("write", task, split("write", task).search)


def test_an_unknown_task_is_named_with_the_place_that_was_searched(tmp_path, monkeypatch):
    from lm_eval.tasks import TaskManager

    def only_ours(include_path, include_defaults=True):  # listing lm-eval's thousands takes seconds
        return TaskManager(include_path=include_path, include_defaults=False)

    monkeypatch.setattr("lm_eval.tasks.TaskManager", only_ours)
    include = write_tasks(tmp_path / "tasks")
    with pytest.raises(TaskError, match=f"from {include} or lm-eval's own, got 'sumz'"):
        load_tasks(["sums", "sumz"], [include])


def test_a_group_is_refused_with_its_members(tmp_path, monkeypatch):
    import lm_eval.tasks

    real = lm_eval.tasks.TaskManager
    monkeypatch.setattr("lm_eval.tasks.TaskManager", lambda include_path, **_: real(None, include_path, False))
    include = write_tasks(tmp_path / "tasks", sums="tag: [counting]\n", shots="tag: [counting]\n")
    (include / "all.yaml").write_text("group: everything\ntask: [sums, choose]\n")
    with pytest.raises(TaskError, match=r"a single one for each objective, got 'everything', .* sums, choose"):
        load_tasks(["everything"], [include])
    with pytest.raises(TaskError, match=r"a single one for each objective, got 'counting', .* shots, sums"):
        load_tasks(["counting"], [include])


def test_data_that_cannot_be_fetched_is_one_line(tmp_path, monkeypatch):
    def unreachable(*_, **__):
        raise ConnectionError("Couldn't reach 'org/sums' on the Hub (LocalEntryNotFoundError)\nRetrying in 1s")

    monkeypatch.setattr("datasets.load_dataset", unreachable)
    include = write_tasks(tmp_path / "tasks", sums="custom_dataset: null\ndataset_path: org/sums\n")
    with pytest.raises(TaskError) as caught:
        load_tasks(["sums"], [include])
    told = "Couldn't reach 'org/sums' on the Hub (LocalEntryNotFoundError)"
    assert str(caught.value) == f"task sums: data that is here or can be fetched, got {told}"


def test_a_task_that_does_not_load_is_named(tmp_path):
    include = write_tasks(tmp_path / "tasks")
    (include / "search.json").unlink()
    with pytest.raises(TaskError, match="task sums: must load, got FileNotFoundError"):
        load_tasks(["sums"], [include])
