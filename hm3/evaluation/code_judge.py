"""Programs as answers: pass@k, by the sandbox, as a metric of lm-eval and in place of Hugging Face's `code_eval`."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from hm3.evaluation.sandbox import Limits, Verdict, run_all

METRIC = "pass@1"
Case = tuple[str, str]  # program, assertions


class CodeJudge:
    """Judges programs with one set of limits.

    Args:
        limits: For each program.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._known: dict[Case, Verdict] = {}
        self._collected: list[Case] | None = None  # while `prepare` asks

    @property
    def key(self) -> list[str]:
        """What decides verdicts beside program and assertions."""
        return [repr(self.limits), f"Python {sys.version_info.major}.{sys.version_info.minor}"]

    def compute(
        self, references: Sequence[str], predictions: Sequence[Sequence[str]], k: Sequence[int] = (1,)
    ) -> tuple[dict[str, float], dict[int, list[Verdict]]]:
        """Judge the answers of some questions, called and answering as `code_eval` does.

        Args:
            references: For each question its assertions.
            predictions: For each question its answers.
            k: Numbers of answers of which one must pass.

        Returns:
            ``pass@k`` -> mean over questions (Chen et al. 2021, arXiv 2107.03374), for each `k` that no question has
            fewer answers than; number of the question -> verdicts.
        """
        cases = [(answer, text) for text, answers in zip(references, predictions, strict=True) for answer in answers]
        found = iter(self._verdicts(cases))
        verdicts = {number: list(islice(found, len(answers))) for number, answers in enumerate(predictions)}
        shares = {f"pass@{size}": _mean_pass(verdicts, size) for size in k if _enough(verdicts, size)}
        return shares, verdicts

    def prepare(self, ask: Callable[[], object]) -> None:
        """Run the programs that `ask` asks about, on all cores; asking once more takes no time.

        Args:
            ask: Asks, whatever it is told: here every program fails.
        """
        collected = self._collected = []
        try:
            ask()
        finally:
            self._collected = None
        cases = list(dict.fromkeys(collected))
        verdicts = run_all(cases, self.limits, len(os.sched_getaffinity(0)))
        self._known = dict(zip(cases, verdicts, strict=True))

    def _verdicts(self, cases: Sequence[Case]) -> list[Verdict]:
        if self._collected is not None:
            self._collected += cases
            return [Verdict(False)] * len(cases)
        new = list(dict.fromkeys(case for case in cases if case not in self._known))
        known = self._known | dict(zip(new, run_all(new, self.limits), strict=True))
        return [known[case] for case in cases]

    def pass_at_1(self, references: Sequence[str], predictions: Sequence[str | Sequence[str]], **_: Any) -> float:
        """The share of questions whose (first) answer passes; lm-eval's metric ``pass@1``.

        Args:
            references: For each question its assertions.
            predictions: For each question its answer, or its answers.
        """
        answers = [[given] if isinstance(given, str) else list(given)[:1] for given in predictions]
        return self.compute(references, answers)[0][METRIC]


class ProgramFilter:
    """lm-eval's filter ``program``: makes a program of each answer.

    Args:
        template: Jinja; reads the fields of the document and ``response``, what the model wrote.
    """

    def __init__(self, template: str) -> None:
        self._template = template

    def apply(self, resps: Sequence[Sequence[str]], docs: Sequence[Mapping[str, Any]]) -> list[list[str]]:
        """The programs of some documents' answers."""
        from lm_eval.utils import apply_template

        return [
            [apply_template(self._template, {**doc, "response": text}) for text in answers]
            for answers, doc in zip(resps, docs, strict=True)
        ]


def _enough(verdicts: Mapping[int, Sequence[Verdict]], size: int) -> bool:
    return all(len(each) >= size for each in verdicts.values())


def _mean_pass(verdicts: Mapping[int, Sequence[Verdict]], size: int) -> float:
    """The mean chance that one of `size` answers, drawn without replacement, passes."""
    misses = [
        math.comb(sum(not verdict.passed for verdict in each), size) / math.comb(len(each), size)
        for each in verdicts.values()
    ]
    return 1 - sum(misses) / len(misses)
