"""Two tokenizers are one, or the first difference is named."""

import json
import shutil
import time
from pathlib import Path

import pytest
import sentencepiece
from tokenizers import Tokenizer, models

from hm3.checkpoints import Checkpoint, check_compatible
from hm3.errors import CheckpointError
from tests.tiny import write_checkpoint

RULE = "source math: tokenizer must equal that of base, got "
WAY_OUT = "; mergekit-tokensurgeon can give one source the other's tokenizer"
CHAT = {"id": 128, "content": "<|im_start|>", "special": True, "normalized": False}
CHAT |= {"single_word": False, "lstrip": False, "rstrip": False}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A checkpoint with 128 tokens, 160 rows and no tokenizer."""
    return write_checkpoint(tmp_path_factory.mktemp("weights"), settings={"vocab_size": 160}, tokenizer=False)


@pytest.fixture
def pair(weights, tmp_path):
    """Folders of two sources, without tokenizers so far."""
    return [Path(shutil.copytree(weights, tmp_path / name)) for name in ("base", "math")]


def write_bpe(folder, edit=lambda tokenizer: None):
    """A tokenizer of 128 tokens and two merges, changed by `edit`."""
    vocab = {chr(33 + i): i for i in range(125)} | {"ab": 125, "abc": 126, "<s>": 127}
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=[("a", "b"), ("ab", "c")]))
    tokenizer.add_special_tokens(["<s>"])
    value = json.loads(tokenizer.to_str())
    edit(value)
    (folder / "tokenizer.json").write_text(json.dumps(value))


def compared(pair, on_mismatch="refuse"):
    base, math = (Checkpoint.open(name, path) for name, path in zip(("base", "math"), pair, strict=True))
    return check_compatible([base, math], on_mismatch)


def refusal(pair, on_mismatch="refuse"):
    with pytest.raises(CheckpointError) as caught:
        compared(pair, on_mismatch)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def swap(tokenizer):
    vocab = tokenizer["model"]["vocab"]
    vocab["A"], vocab["B"] = vocab["B"], vocab["A"]


HARD = {
    "two tokens swapped": (swap, "token 32 is 'A' in base, 'B' in math"),
    "a token less": (lambda t: t["model"]["vocab"].pop("A"), "token 32 is 'A' in base, nothing in math"),
    "another merge": (
        lambda t: t["model"].update(merges=[["b", "c"], ["ab", "c"]]),
        "merge 0 is 'a b' in base, 'b c' in math",
    ),
    "a merge less": (lambda t: t["model"]["merges"].pop(), "merge 1 is 'ab c' in base, nothing in math"),
    "another added token": (
        lambda t: t["added_tokens"][0].update(content="<bos>"),
        "token 127 is '<s>' in base, '<bos>' in math",
    ),
}


@pytest.mark.parametrize("on_mismatch", ["refuse", "host"])
@pytest.mark.parametrize("case", HARD)
def test_other_tokens_are_refused_always(pair, case, on_mismatch):
    edit, told = HARD[case]
    write_bpe(pair[0])
    write_bpe(pair[1], edit)
    assert refusal(pair, on_mismatch) == RULE + told + WAY_OUT


SOFT = {
    "a normalizer": (
        lambda t: t.update(normalizer={"type": "NFC"}),
        "normalizer is nothing in base, {'type': 'NFC'} in math",
    ),
    "a flag": (
        lambda t: t["added_tokens"][0].update(lstrip=True),
        "added token '<s>'.lstrip is False in base, True in math",
    ),
    "a model's rule": (
        lambda t: t["model"].update(ignore_merges=True),
        "model.ignore_merges is False in base, True in math",
    ),
    "a chat token": (
        lambda t: t["added_tokens"].append(CHAT),
        "tokens from 128 on: 1 only in math, the first '<|im_start|>'",
    ),
}


@pytest.mark.parametrize("case", SOFT)
def test_other_rules_and_extra_tokens_follow_on_mismatch(pair, case):
    edit, told = SOFT[case]
    write_bpe(pair[0])
    write_bpe(pair[1], edit)
    assert refusal(pair) == f"{RULE}{told}; on_mismatch=host would use the host's for every layer"
    assert compared(pair, "host") == [f"{RULE}{told}; the host's is used for every layer"]


def test_extra_tokens_may_have_merges_of_their_own(pair):
    """As those for infilling do."""
    write_bpe(pair[0])

    def infill(tokenizer):
        tokenizer["model"]["vocab"] |= {"<P": 128, "<PRE": 129}
        tokenizer["model"]["merges"][1:1] = [["<", "P"], ["<P", "RE"]]
        tokenizer["model"]["vocab"]["RE"] = 130

    write_bpe(pair[1], infill)
    (warning,) = compared(pair, "host")
    assert "tokens from 128 on: 3 only in math, the first '<P'" in warning


def test_extra_tokens_without_rows_are_refused_always(pair):
    write_bpe(pair[0])
    write_bpe(pair[1], lambda t: t["added_tokens"].append({**CHAT, "id": 160}))
    told = "source math: vocab_size of math at least the tokens of math's tokenizer, 161 (the last is '<|im_start|>')"
    assert refusal(pair, "host") == f"{told}, got 160"


@pytest.mark.parametrize("part", ["truncation", "padding", "version"])
def test_what_passes_with_a_batch_does_not_matter(pair, part):
    write_bpe(pair[0])
    write_bpe(pair[1], lambda tokenizer: tokenizer.update({part: {"max_length": 3}}))
    assert compared(pair) == []


def test_merges_are_read_in_both_spellings(pair):
    write_bpe(pair[0])
    write_bpe(pair[1], lambda t: t["model"].update(merges=["a b", "ab c"]))
    assert compared(pair) == []


def write_gpt2(folder, *, merges="a b", vocab=("a", "b", "ab", "<|endoftext|>")):
    (folder / "vocab.json").write_text(json.dumps({token: i for i, token in enumerate(vocab)}))
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "GPT2Tokenizer"}))


def test_a_vocabulary_with_merges_beside_it(pair):
    write_gpt2(pair[0])
    write_gpt2(pair[1])
    assert compared(pair) == []
    write_gpt2(pair[1], vocab=("b", "a", "ab", "<|endoftext|>"))
    assert refusal(pair) == f"{RULE}token 0 is 'a' in base, 'b' in math{WAY_OUT}"
    write_gpt2(pair[1], merges="b a", vocab=("a", "b", "ba", "<|endoftext|>"))
    assert refusal(pair) == f"{RULE}token 2 is 'ab' in base, 'ba' in math{WAY_OUT}"
    write_gpt2(pair[1], merges="a zz")
    assert refusal(pair).startswith(f"source math ({pair[1]}): tokenizer: files that transformers can read, got ")


def write_sentencepiece(folder, words):
    text = folder / "text"
    text.write_text("\n".join(words * 50))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "tokenizer"), vocab_size=40, model_type="bpe", minloglevel=2
    )
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "LlamaTokenizer", **special}))
    return folder


def test_a_sentencepiece_model_alone(pair):
    words = ["the quick brown fox", "jumps over a lazy dog"]
    for folder in pair:
        write_sentencepiece(folder, words)
    assert compared(pair) == []
    write_sentencepiece(pair[1], [word[::-1] for word in words])
    assert " is " in refusal(pair)
    assert refusal(pair).startswith(f"{RULE}token ")
    assert refusal(pair).endswith(WAY_OUT)


def test_a_sentencepiece_model_and_its_conversion_are_one_tokenizer(pair):
    from transformers import AutoTokenizer

    for folder in pair:
        write_sentencepiece(folder, ["the quick brown fox", "jumps over a lazy dog"])
    AutoTokenizer.from_pretrained(pair[1]).save_pretrained(pair[1])
    (pair[1] / "tokenizer.model").unlink()
    assert compared(pair) == []


def test_one_source_without_any_tokenizer_is_refused(pair):
    write_bpe(pair[0])
    assert refusal(pair) == (
        f"source math ({pair[1]}): tokenizer: one of tokenizer.json, tokenizer.model, vocab.json, got none"
    )


DAMAGED = ["{}", '{"model": 7}', '{"model": {"vocab": 7}}', '{"model": {"vocab": {"a": "b"}}}', "[]", '{"a": NaN}']
DAMAGED += ['{"model": {"vocab": {"a": 0}, "merges": ["a"]}}', '{"model": {"vocab": {}}, "added_tokens": [{}]}']


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_is_one_line(pair, text):
    write_bpe(pair[0])
    (pair[1] / "tokenizer.json").write_text(text)
    assert refusal(pair).startswith(f"source math ({pair[1]}): tokenizer.json")


def test_a_large_vocabulary_takes_moments(pair):
    """As many tokens as Qwen's, the last one different."""
    for folder, last in zip(pair, ("x", "y"), strict=True):
        vocab = {f"token {i}": i for i in range(150_000)} | {last: 150_000}
        merges = [[f"left {i}", f"right {i}"] for i in range(150_000)]
        (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocab, "merges": merges}}))
    start = time.process_time()
    assert "token 150000 is 'x' in base, 'y' in math" in refusal(pair)
    assert time.process_time() - start < 5
