"""Requests that aren't token rows (generation, rolling likelihoods): a real model in memory, run by lm-eval itself."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch

from hm3.evaluation.tasks import Response
from hm3.recipe import Recipe


class HarnessModel:
    """Answers any lm-eval request with a stack assembled in memory.

    Args:
        assemble: Makes a transformers model of a recipe.
        tokenizer: The tokenizer with which a recipe is exported.
        batch_size: Requests that run at once.
    """

    def __init__(self, assemble: Callable[[Recipe], Any], tokenizer: Callable[[Recipe], Any], batch_size: int) -> None:
        self._assemble = assemble
        self._tokenizer = tokenizer
        self._batch_size = batch_size

    def __call__(self, recipe: Recipe, instances: list[Any]) -> list[Response]:
        """One response for each request, in order; NaN where the model gives NaN or infinity, which text would hide."""
        from lm_eval.models.huggingface import HFLM

        if not instances:
            return []
        model = HFLM(pretrained=self._assemble(recipe), tokenizer=self._tokenizer(recipe), batch_size=self._batch_size)
        if not self._finite(model, instances[0]):
            return [math.nan] * len(instances)
        responses: list[Response] = [0.0] * len(instances)
        for kind in dict.fromkeys(instance.request_type for instance in instances):
            places = [i for i, instance in enumerate(instances) if instance.request_type == kind]
            answers = getattr(model, kind)([instances[i] for i in places], disable_tqdm=True)
            for place, answer in zip(places, answers, strict=True):
                responses[place] = answer
        return responses

    @torch.no_grad()
    def _finite(self, model: Any, instance: Any) -> bool:
        """Whether the model's logits on a request's first text are numbers."""
        tokens = model.tok_encode(instance.args[0])[-model.max_length :] or [model.prefix_token_id]
        return bool(model.model(torch.tensor([tokens], device=model.device)).logits.isfinite().all())
