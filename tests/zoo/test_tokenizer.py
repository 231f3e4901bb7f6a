import pytest
from transformers import AutoTokenizer

import hm3.zoo


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(hm3.zoo.source_path("base"))


def every_item():
    return [item for task in hm3.zoo.EXPERTS for split in hm3.zoo.SPLITS for item in hm3.zoo.items(task, split)]


def test_no_token_crosses_from_prompt_to_answer(tokenizer):
    for item in every_item():
        prompt = tokenizer(item.prompt).input_ids
        answer = tokenizer(item.answer, add_special_tokens=False).input_ids
        assert tokenizer(item.prompt + item.answer).input_ids == prompt + answer


def test_items_survive_a_round_trip(tokenizer):
    for item in every_item():
        text = item.prompt + item.answer
        ids = tokenizer(text).input_ids
        assert tokenizer.unk_token_id not in ids
        assert tokenizer.decode(ids, skip_special_tokens=True) == text


def test_items_are_short(tokenizer):
    lengths = [len(tokenizer(item.prompt + item.answer).input_ids) for item in every_item()]
    assert sum(lengths) / len(lengths) < 24
    assert max(lengths) <= 64


def test_special_tokens(tokenizer):
    assert len(tokenizer) <= 384
    assert tokenizer("1+1=").input_ids[0] == tokenizer.bos_token_id
    assert tokenizer.pad_token_id not in (None, tokenizer.eos_token_id)
    assert len(tokenizer("\n", add_special_tokens=False).input_ids) == 1


def test_a_token_holds_one_digit_at_most(tokenizer):
    assert all(sum(character.isdigit() for character in token) <= 1 for token in tokenizer.get_vocab())


@pytest.mark.parametrize("name", hm3.zoo.EXPERTS)
def test_all_sources_share_one_tokenizer(name):
    for file in ("tokenizer.json", "tokenizer_config.json"):
        base = (hm3.zoo.source_path("base") / file).read_bytes()
        assert (hm3.zoo.source_path(name) / file).read_bytes() == base
