"""How questions are put to models: few-shot examples, chat template, system instruction, all of it lm-eval's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

from hm3.errors import ConfigurationError, TaskError

FEWSHOT_SEED = 1234  # the one that lm-eval's simple_evaluate sets


@dataclass(frozen=True, slots=True)
class Prompts:
    """What ``simple_evaluate`` takes under the same names.

    Attributes:
        shots: Task -> number of few-shot examples, where it is not to be the task's own.
        apply_chat_template: Whether a prompt is rendered by the tokenizer's chat template.
        fewshot_as_multiturn: Whether examples are then turns of their own.
        system_instruction: What every prompt begins with.
    """

    shots: Mapping[str, int] = field(default_factory=dict)
    apply_chat_template: bool = False
    fewshot_as_multiturn: bool = True
    system_instruction: str | None = None

    def set_shots(self, tasks: Mapping[str, Any]) -> None:
        """Tell tasks how many examples to show and by which seed, as ``simple_evaluate`` does.

        Raises:
            TaskError: A task fixes its number at 0, which lm-eval does not override.
        """
        for name, task in tasks.items():
            own, stated = task.config.num_fewshot, self.shots.get(name)
            if stated and own == 0:
                raise TaskError(f"task {name}: its own file fixes num_fewshot: 0, which lm-eval keeps, got {stated}")
            task.set_config("num_fewshot", (own or 0) if stated is None else stated)
            task.set_fewshot_seed(FEWSHOT_SEED)

    @property
    def options(self) -> dict[str, Any]:
        """What lm-eval's ``evaluate`` is given."""
        return {
            "apply_chat_template": self.apply_chat_template,
            "fewshot_as_multiturn": self.fewshot_as_multiturn,
            "system_instruction": self.system_instruction,
        }

    def with_template(self, tokenizer: Any) -> dict[str, Any]:
        """What a task is given to make one prompt: the options, and lm-eval's own way to use a chat template."""
        if not self.apply_chat_template:
            return {**self.options, "chat_template": None}
        from lm_eval.models.huggingface import HFLM

        reader = SimpleNamespace(tokenizer=tokenizer, chat_template_args={})
        return {**self.options, "chat_template": partial(_rendered, partial(HFLM.apply_chat_template, reader))}


def _rendered(render: Callable[..., str], *turns: Any, **options: Any) -> str:
    """What a chat template makes of turns; it runs in transformers' sandbox.

    Raises:
        ConfigurationError: It fails, or wants out.
    """
    try:
        return render(*turns, **options)
    except Exception as error:  # it is part of a checkpoint, and may come from anybody
        told = " ".join(str(error).split())[:200] or type(error).__name__
        raise ConfigurationError(f"tasks.apply_chat_template: a template that renders the items, got {told}") from error
