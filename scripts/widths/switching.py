"""What a switch between two widths costs: log-likelihoods of the zoo's test answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from hm3.checkpoints import Checkpoint
from hm3.evaluation.rows import Row
from hm3.evaluation.scorer import StackScorer
from hm3.layers import LayerBank
from hm3.recipe import LayerRef, Recipe
from hm3.widening import Fit, StreamMap, plain, write_widened
from scripts.zoo.scoring import Encoded, batches, pad

WIDE = "wide"
MAPS = ("plain", "fitted", "corrected")


@dataclass(frozen=True)
class Switch:
    """Narrow layers before `narrow` and wide ones from `wide` on, or the other way round."""

    narrow: int
    wide: int


class Stacks:
    """Stacks of the wide source and the narrow one, widened by every map.

    Args:
        narrow: The narrow source.
        wide: The wide source.
        fitted: The map between them.
        items: What is scored.
        folder: Where widened models are written.
    """

    def __init__(
        self, narrow: Checkpoint, wide: Checkpoint, fitted: Fit, items: Sequence[Encoded], folder: Path
    ) -> None:
        self.narrow, self.wide, self.fitted, self._items = narrow, wide, fitted, items
        maps = (
            plain(narrow.config["hidden_size"], wide.config["hidden_size"], narrow.depth),
            fitted.map,
            fitted.corrected,
        )
        self.sources = {WIDE: wide} | {
            name: Checkpoint.open(name, write_widened(folder / name, narrow, wide, stream))
            for name, stream in zip(MAPS, maps, strict=True)
        }
        bank = LayerBank(torch.device("cpu"), torch.float32)
        for source in (narrow, *self.sources.values()):
            bank.add(source.source.digest, source)
        rows = [Row(item.tokens[:-1], item.tokens[-item.answer_tokens :]) for item in items]
        self._scorer = StackScorer(bank, [rows], 0)
        self._tokens = sum(item.answer_tokens for item in items)

    def alone(self, source: Checkpoint) -> float:
        """Mean log-likelihood of an answer's token in a source itself."""
        return self._score(Recipe.identity(source.source, source.depth))

    def up(self, name: str, switch: Switch) -> float:
        """The narrow model, widened by the map called `name`, then the wide one."""
        return self._stack([(name, range(switch.narrow)), (WIDE, range(switch.wide, self.wide.depth))])

    def down(self, name: str, switch: Switch) -> float:
        """The wide model, then the narrow one, widened by the map called `name`."""
        return self._stack([(WIDE, range(switch.wide)), (name, range(switch.narrow, self.narrow.depth))])

    def projected(self, switch: Switch) -> float:
        """The wide model, then the narrow one at its own width, on what it sees of the stream: no stock model."""
        wide, narrow = (LlamaForCausalLM.from_pretrained(s.path, dtype=torch.float32) for s in (self.wide, self.narrow))
        total = sum(_projected(wide, narrow, switch, self.fitted.map, batch) for batch in batches(self._items, 4096))
        return total / self._tokens

    def _stack(self, parts: Sequence[tuple[str, range]]) -> float:
        path = [LayerRef(name, layer) for name, layers in parts for layer in layers]
        named = {name: source.source for name, source in self.sources.items()}
        return self._score(Recipe.build(path, parts[0][0], parts[-1][0], named))

    def _score(self, recipe: Recipe) -> float:
        total = float(self._scorer.score([recipe.content], 0).log_likelihood.double().sum())
        return total / self._tokens if math.isfinite(total) else -math.inf


@torch.inference_mode()
def _projected(
    wide: LlamaForCausalLM, narrow: LlamaForCausalLM, switch: Switch, stream: StreamMap, batch: list[Encoded]
) -> float:
    tokens, answers = pad(batch)
    hidden = stream.read(wide.model(tokens, output_hidden_states=True).hidden_states[switch.wide])

    def instead(module: torch.nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (hidden, *given[1:])

    hook = narrow.model.layers[switch.narrow].register_forward_pre_hook(instead)
    chances = narrow(tokens, use_cache=False).logits[:, :-1].log_softmax(-1)
    hook.remove()
    return float(chances.gather(2, tokens[:, 1:, None])[..., 0][answers[:, 1:]].double().sum())
