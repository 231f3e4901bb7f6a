"""Requests to token rows, by lm-eval's own rules for what belongs to the context and what to the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lm_eval.api.model import TemplateLM
from lm_eval.models.utils import has_bos_prefix

from hm3.errors import TaskError
from hm3.evaluation.rows import Row


class RowEncoder(TemplateLM):  # type: ignore[misc] # lm-eval ships no types
    """An lm-eval model that runs nothing: asked for log-likelihoods, it keeps the tokens it would have run.

    Args:
        tokenizer: A transformers tokenizer.
        length: The longest input that the models take, in tokens; longer rows lose their beginning, as in lm-eval.
    """

    backend = "causal"

    def __init__(self, tokenizer: Any, length: int) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self._length = length
        self._encoded: list[tuple[list[int], list[int]]] = []

    def rows(self, instances: Sequence[Any]) -> list[Row]:
        """One row for each log-likelihood request.

        Raises:
            TaskError: An answer has no tokens, or more than the models take.
        """
        self.loglikelihood(list(instances), disable_tqdm=True)
        pairs = zip(instances, self._encoded, strict=True)
        return [self._row(instance, context, answer) for instance, (context, answer) in pairs]

    @property
    def eot_token_id(self) -> int:
        """End of text."""
        return int(self.tokenizer.eos_token_id)

    @property
    def prefix_token_id(self) -> int:
        """What an empty context is replaced by."""
        first = self.tokenizer.bos_token_id
        return int(self.tokenizer.eos_token_id if first is None else first)

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **_: Any) -> list[int]:
        """As lm-eval's transformers model encodes: the tokenizer's own special tokens, but never two beginnings."""
        options = {} if add_special_tokens is None else {"add_special_tokens": add_special_tokens}
        if add_special_tokens is None and has_bos_prefix(string, self.tokenizer.decode(self.prefix_token_id)):
            options["add_special_tokens"] = False
        return list(self.tokenizer.encode(string, **options))

    def _loglikelihood_tokens(self, requests: Sequence[Any], **_: Any) -> list[tuple[float, bool]]:
        self._encoded = [(context, answer) for _, context, answer in requests]
        return [(0.0, False)] * len(self._encoded)

    def _row(self, instance: Any, context: list[int], answer: list[int]) -> Row:
        if not answer or len(answer) > self._length:
            item = f"task {instance.task_name}, item {instance.doc_id}"
            raise TaskError(f"{item}: an answer of 1 to {self._length} tokens, got {len(answer)}")
        tokens = (context + answer)[-(self._length + 1) :][:-1]
        return Row(tuple(tokens), tuple(answer))

    def loglikelihood_rolling(self, requests: Any, disable_tqdm: bool = False) -> list[float]:
        """Not a row: such requests go through a real model."""
        raise TypeError("rolling log-likelihoods are not rows")

    def generate_until(self, requests: Any, disable_tqdm: bool = False) -> list[str]:
        """Not a row: such requests go through a real model."""
        raise TypeError("generation requests are not rows")
