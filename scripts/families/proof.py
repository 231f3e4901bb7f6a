"""One family, proven: the same stack without a model, assembled, built by stock means, exported, and loaded again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hm3.checkpoints import Checkpoint
from hm3.evaluation.encoding import RowEncoder
from hm3.evaluation.reading import tokenizer_in
from hm3.evaluation.scorer import StackScorer
from hm3.layers import LayerBank
from hm3.model_folder import write_model
from hm3.recipe import LayerRef, Recipe
from hm3.stacks import assemble, stack_config
from scripts.families.reference import reference_model
from scripts.families.samples import Sample, write_source

CLOSE = 1e-5  # logits in float32
LIKELY = 1e-4  # log-likelihoods of whole answers
NEW_TOKENS = 32
PATH = (("a", 0), ("a", 1), ("b", 1), ("b", 1), ("a", 3), ("b", 2), ("a", 3))  # repeats, skips, mixes


@dataclass(frozen=True, slots=True)
class Proof:
    """What was measured for one family.

    Attributes:
        name: The family.
        reference: Largest difference of logits to the reference construction, and to the assembled model.
        reloaded: Largest difference of logits to the exported model, loaded again.
        likelihood: Largest difference of log-likelihoods to stock lm-eval's on the exported model.
        texts: How many different texts four ways to generate give: with and without cache, in memory and reloaded.
        keys: Keys that loading the export reports as missing, unexpected or of another shape.
    """

    name: str
    reference: float
    reloaded: float
    likelihood: float
    texts: int
    keys: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything is as it must be."""
        near = max(self.reference, self.reloaded) <= CLOSE and self.likelihood <= LIKELY
        return near and self.texts == 1 and not self.keys


@torch.inference_mode()
def prove(sample: Sample, folder: Path, instances: Sequence[Any]) -> Proof:
    """Build two sources of different depth and one stack of both, and run it every way.

    Args:
        sample: The family.
        folder: An empty folder for the models.
        instances: lm-eval's log-likelihood requests.
    """
    sources = {name: write_source(folder / name, sample, depth=7 - depth, seed=depth) for name, depth in _DEPTHS}
    recipe = _recipe(sources)
    bank = LayerBank(torch.device("cpu"), torch.float32)
    for checkpoint in sources.values():
        bank.add(checkpoint.source.digest, checkpoint)
    write_model(folder / "stack", recipe, sources, "")
    loaded, report = _reloaded(folder / "stack")
    assembled = assemble(recipe, bank)
    folders = {name: checkpoint.path for name, checkpoint in sources.items()}
    reference = reference_model(recipe, folders, stack_config(recipe, sources))
    tokens = torch.randint(4, 60, (3, 24), generator=torch.Generator().manual_seed(0))
    logits = _logits(recipe, bank, tokens)
    return Proof(
        sample.name,
        max(_difference(logits, model(tokens).logits) for model in (reference, assembled)),
        _difference(logits, loaded(tokens).logits),
        _likelihood_difference(recipe, bank, folder / "stack", instances),
        len({_text(model, tokens[:1], cache) for model in (assembled, loaded) for cache in (True, False)}),
        report,
    )


_DEPTHS = (("a", 3), ("b", 4))  # seeds; the depths are 4 and 3


def _recipe(sources: Mapping[str, Checkpoint]) -> Recipe:
    known = {name: checkpoint.source for name, checkpoint in sources.items()}
    return Recipe.build([LayerRef(*layer) for layer in PATH], "a", "b", known)


def _logits(recipe: Recipe, bank: LayerBank, tokens: Tensor) -> Tensor:
    """(rows, length, vocabulary) of the stack, without a model and without copying a weight."""
    stack = recipe.content
    forward = bank.forward(stack.embedding, tokens.shape[1])
    hidden = forward.begin(bank.embedding(stack.embedding), tokens)
    for layer in stack.path:
        hidden = forward.layer(bank.layer(*layer), hidden)
    logits = forward.logits(bank.ending(stack.head), hidden.flatten(0, 1))
    return logits.view(*tokens.shape, -1)


def _reloaded(folder: Path) -> tuple[Any, tuple[str, ...]]:
    from transformers import AutoModelForCausalLM

    options: dict[str, Any] = {"dtype": torch.float32, "output_loading_info": True}
    loaded: Any = AutoModelForCausalLM.from_pretrained(folder, **options)
    model, report = loaded
    kinds = ("missing_keys", "unexpected_keys", "mismatched_keys")
    return model.eval(), tuple(str(key) for kind in kinds for key in report[kind])


def _difference(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max())


def _text(model: Any, prompt: Tensor, cache: bool) -> tuple[int, ...]:
    made = model.generate(
        prompt, max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, do_sample=False, use_cache=cache
    )
    return tuple(made[0].tolist())


def _likelihood_difference(recipe: Recipe, bank: LayerBank, folder: Path, instances: Sequence[Any]) -> float:
    from lm_eval.models.huggingface import HFLM

    rows = RowEncoder(tokenizer_in(folder), 256).rows(instances)
    ours = StackScorer(bank, [rows], 0).score([recipe.content], 0)
    stock = HFLM(pretrained=str(folder), dtype="float32", batch_size=16, device="cpu")
    answers = stock.loglikelihood(list(instances), disable_tqdm=True)
    theirs = torch.tensor([likelihood for likelihood, _ in answers], dtype=torch.float64)
    assert ours.greedy[0].tolist() == [greedy for _, greedy in answers], "greedy answers"
    return _difference(ours.log_likelihood[0], theirs)
