"""The zoo's tokenizer: byte-pair encoding over characters."""

from __future__ import annotations

import string
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from scripts.zoo.levels import Draft

VOCABULARY = 384
MAX_LENGTH = 128
PAD, BOS, EOS, UNKNOWN = "<pad>", "<s>", "</s>", "<unk>"
# A prompt ends in one of `:=?`, and these stand alone: no token ever crosses from a prompt into its answer.
PIECES = r" ?[A-Za-zÄÖÜäöüß]+| ?[0-9]|[:=?]|\n|[^\sA-Za-zÄÖÜäöüß0-9:=?]+|\s"
ALPHABET = [*string.digits, *string.ascii_lowercase, *"ABDEFHJKLMNOPSTUVWäöüß", *"!'()*+,-./:<=>?[]%", " ", "\n"]


def train_tokenizer(drafts: Iterable[Draft]) -> PreTrainedTokenizerFast:
    """Return a tokenizer of VOCABULARY tokens that puts BOS in front of every text."""
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), "isolated")
    tokenizer.decoder = decoders.Fuse()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, BOS, EOS, UNKNOWN],
        initial_alphabet=ALPHABET,
        show_progress=False,
    )
    tokenizer.train_from_iterator((draft.prompt + draft.answer for draft in drafts), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, tokenizer.token_to_id(BOS))]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=BOS,
        eos_token=EOS,
        unk_token=UNKNOWN,
        padding_side="right",
        model_max_length=MAX_LENGTH,
        clean_up_tokenization_spaces=False,
    )
