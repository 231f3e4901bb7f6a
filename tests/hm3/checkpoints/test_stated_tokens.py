"""Tokens that tokenizer.json lacks and files beside it name: transformers numbers them, so they are compared too."""

import json
import re
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from hm3.checkpoints import Checkpoint, check_compatible
from hm3.errors import CheckpointError
from tests.tiny import write_checkpoint, write_tokenizer

CHAT, OTHER = ["<|im_start|>", "<|im_end|>"], ["<|user|>", "<|im_end|>"]
FIRST = 126  # tokens of tokenizer.json


def entry(token):
    return {"content": token, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}


def in_config(folder, **settings):
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | settings))


def in_a_file_of_their_own(folder, tokens):
    (folder / "added_tokens.json").write_text(json.dumps({token: FIRST + i for i, token in enumerate(tokens)}))


def with_their_numbers(folder, tokens):
    in_config(folder, added_tokens_decoder={str(FIRST + i): entry(token) for i, token in enumerate(tokens)})


def as_special_tokens(folder, tokens):
    in_config(folder, additional_special_tokens=tokens)


def as_the_tokens_of_a_role(folder, tokens):
    in_config(folder, sep_token=tokens[0], cls_token={"__type": "AddedToken", "special": True, **entry(tokens[1])})


WAYS = [in_a_file_of_their_own, with_their_numbers, as_special_tokens, as_the_tokens_of_a_role]


def source(folder: Path, way, tokens, rows=160):
    write_checkpoint(folder, depth=1, settings={"vocab_size": rows}, tokenizer=False)
    write_tokenizer(folder, vocabulary=FIRST)
    way(folder, tokens)
    return Checkpoint.open(folder.name, folder)


@pytest.mark.parametrize("way", WAYS)
def test_transformers_gives_them_the_next_numbers(way, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(source(tmp_path / "base", way, CHAT).path)
    assert sorted(tokenizer.convert_tokens_to_ids(CHAT)) == [126, 127]


@pytest.mark.parametrize("way", WAYS)
def test_other_tokens_of_the_same_number_are_refused(way, tmp_path):
    sources = [source(tmp_path / "base", way, CHAT), source(tmp_path / "math", way, OTHER)]
    with pytest.raises(CheckpointError, match=r"^source math: tokenizer must equal that of base, got token 12[67] is "):
        check_compatible(sources, "host")


@pytest.mark.parametrize("way", WAYS)
def test_they_need_rows(way, tmp_path):
    told = "source base: vocab_size of base at least the tokens of base's tokenizer, 128 (the last is "
    with pytest.raises(CheckpointError, match=f"^{re.escape(told)}.*, got 126$"):
        check_compatible([source(tmp_path / "base", way, CHAT, rows=FIRST)])


@pytest.mark.parametrize("way", WAYS)
def test_a_tokenizer_saved_again_with_all_its_tokens_in_one_file_is_the_same(way, tmp_path):
    sources = [source(tmp_path / "base", way, CHAT), source(tmp_path / "math", way, CHAT)]
    AutoTokenizer.from_pretrained(sources[0].path).save_pretrained(sources[1].path)
    assert CHAT[0] in (sources[1].path / "tokenizer.json").read_text()
    assert check_compatible(sources) == []
