import json
from collections import Counter
from itertools import islice

import pytest

import hm3.zoo
from scripts.zoo import corpus

TASKS = hm3.zoo.EXPERTS


def stored(task):
    return {split: hm3.zoo.items(task, split) for split in hm3.zoo.SPLITS}


@pytest.mark.parametrize("task", TASKS)
def test_splits_have_their_sizes_and_share_no_prompt(task):
    splits = stored(task)
    assert {split: len(items) for split, items in splits.items()} == corpus.SPLITS
    prompts = [item.prompt for items in splits.values() for item in items]
    ids = [item.id for items in splits.values() for item in items]
    assert len(set(prompts)) == len(prompts)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("task", TASKS)
def test_stored_items_are_what_the_generators_make(task):
    for split, rows in corpus.held_out(task).items():
        lines = (hm3.zoo.ITEMS / f"{task}.{split}.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == rows


def test_training_never_sees_a_held_out_prompt():
    held_out = {item.prompt for task in TASKS for items in stored(task).values() for item in items}
    assert held_out == corpus.held_out_prompts()
    seen = {draft.prompt for draft in islice(corpus.stream(dict.fromkeys(TASKS, 1.0), "test"), 30_000)}
    assert not seen & held_out


def test_the_stream_depends_on_its_seed_only():
    first, again, other = (
        list(islice(corpus.stream(dict.fromkeys(TASKS, 1.0), seed), 100)) for seed in ("a", "a", "b")
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize("task", TASKS)
def test_the_space_of_items_is_many_times_larger_than_the_splits(task):
    assert corpus.space_size(task) >= 10 * sum(corpus.SPLITS.values())


@pytest.mark.parametrize(
    "level", [level for levels in corpus.LEVELS.values() for level in levels], ids=lambda x: x.name
)
def test_no_two_items_of_a_level_have_the_same_prompt(level):
    step = max(1, level.size // 5000)
    prompts = Counter(level.draft(index).prompt for index in range(0, level.size, step))
    assert max(prompts.values()) == 1


def test_an_item_beyond_the_level_is_refused():
    level = corpus.LEVELS["math"][0]
    with pytest.raises(IndexError, match=str(level.size)):
        level.draft(level.size)


@pytest.mark.parametrize("task", TASKS)
def test_items_are_well_formed(task):
    for items in stored(task).values():
        for item in items:
            assert item.prompt == item.prompt.strip()
            assert item.prompt[-1] in ":=?"
            assert item.answer.strip() + "\n" == item.answer


def test_every_difficulty_occurs_in_every_split():
    for task in TASKS:
        for items in stored(task).values():
            assert {item.difficulty for item in items} == {level.name for level in corpus.LEVELS[task]}


def test_sums_are_right():
    bare = [item for item in hm3.zoo.items("math", "test") if item.prompt.endswith("=")]
    assert len(bare) > 300
    for item in bare:
        assert eval(item.prompt[:-1]) == int(item.answer)


def test_programs_satisfy_their_assertions():
    for items in stored("code").values():
        for item in items:
            assert item.assertions
            function = eval(f"lambda {', '.join(item.arguments)}: {item.answer}")
            for assertion in item.assertions:
                exec(assertion, {"f": function})


def test_unknown_names_are_refused():
    with pytest.raises(KeyError, match="poetry"):
        hm3.zoo.items("poetry", "test")
    with pytest.raises(KeyError, match="poetry"):
        hm3.zoo.source_path("poetry")
