"""lm-eval tasks: their documents on a split, the requests made of them, and the metrics of the answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from typing import Any

from hm3.errors import TaskError
from hm3.evaluation.code_tasks import judged, verdict_key
from hm3.evaluation.examples import collected, doc_digest
from hm3.evaluation.prompts import FEWSHOT_SEED, Prompts
from hm3.evaluation.requests import requests_of
from hm3.evaluation.rules import rules_of
from hm3.recipe import digest_of

Response = tuple[float, bool] | float | str  # what a model answers to one request, as lm-eval has it
_HARMLESS: dict[str, Response] = {"loglikelihood": (-1e9, False), "loglikelihood_rolling": -1e9}
Measures = dict[str, list[Any]]  # metric -> one value for each document


@dataclass(frozen=True)
class TaskItems:
    """Some documents of one task, with the requests that lm-eval makes of them.

    Attributes:
        name: The task's name.
        task: lm-eval's task.
        ids: The documents' numbers on their split.
        docs: The documents.
        requests: For each document its lm-eval ``Instance``s, in order.
        examples: Digests of the documents that were shown as examples.
    """

    name: str
    task: Any
    ids: tuple[int, ...]
    docs: tuple[Mapping[str, Any], ...]
    requests: tuple[tuple[Any, ...], ...]
    examples: frozenset[str] = frozenset()

    @classmethod
    def build(
        cls, name: str, task: Any, docs: Mapping[int, Mapping[str, Any]], prompting: Mapping[str, Any] | None = None
    ) -> TaskItems:
        """Make the requests of `docs` (number on the split -> document), as lm-eval makes them.

        Args:
            name: The task's name.
            task: lm-eval's task.
            docs: Number on the split -> document.
            prompting: How questions are put, from `Prompts.with_template`; None for plain.

        Raises:
            TaskError: A document without an answer, or a task that asks the same more than once.
        """
        repeats = task.config.repeats or 1
        if repeats > 1:
            raise TaskError(
                f"task {name}: one answer for each request (repeats: 1), got repeats: {task.config.repeats}"
            )
        prompting = Prompts().with_template(None) if prompting is None else prompting
        task.set_fewshot_seed(FEWSHOT_SEED)
        with collected(task) as examples:
            requests = tuple(requests_of(name, task, number, doc, prompting) for number, doc in docs.items())
        return cls(name, task, tuple(docs), tuple(docs.values()), requests, frozenset(map(doc_digest, examples)))

    @cached_property
    def instances(self) -> list[Any]:
        """All requests, document by document."""
        return [request for made in self.requests for request in made]

    @property
    def row_instances(self) -> list[Any]:
        """The requests that are token rows: log-likelihoods of an answer."""
        return [request for request in self.instances if request.request_type == "loglikelihood"]

    @cached_property
    def all_rows(self) -> bool:
        """Whether every request is a token row."""
        return len(self.row_instances) == len(self.instances)

    @cached_property
    def digest(self) -> str:
        """Digest of what is asked and how it is judged: the requests' texts, the documents and the task's metrics."""
        asked = [[request.request_type, repr(request.arguments)] for request in self.instances]
        judged = [[repr(sorted(doc.items())), repr(self.task.doc_to_target(doc))] for doc in self.docs]
        return digest_of(
            [self.name, rules_of(self.task), metadata.version("lm-eval"), asked, judged, *verdict_key(self.task)]
        )

    def measure(self, responses: Sequence[Response]) -> Measures:
        """Every metric's value for each document.

        Args:
            responses: One for each of `instances`.
        """
        if not self.docs:  # lm-eval's filters need at least one answer
            return {}
        for request, response in zip(self.instances, responses, strict=True):
            request.resps, request.filtered_resps = [response], {}
        self.task._instances = self.instances
        self.task.apply_filters()
        return judged(self.task, self._measured)

    def _measured(self) -> Measures:
        measures: Measures = {}
        for doc, made in zip(self.docs, self.requests, strict=True):
            for key in made[0].filtered_resps:
                answers = [request.filtered_resps[key] for request in made]
                for metric, value in self.task.process_results(doc, answers).items():
                    measures.setdefault(_metric_key(metric, key), []).append(_plain(value))
        return measures

    def aggregate(self, metric: str, values: Sequence[Any]) -> float:
        """The task's score from a metric's values, as lm-eval aggregates them; NaN where one of them is."""
        if any(isinstance(value, float) and math.isnan(value) for value in values):
            return math.nan
        return float(self._aggregation(metric)(list(values)))

    def is_mean(self, metric: str) -> bool:
        """Whether the task's score is the mean of the metric over documents."""
        from lm_eval.api.metrics import mean

        return self._aggregation(metric) is mean

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """What the task measures: tried on the first document, with answers that do no harm."""
        first = TaskItems(self.name, self.task, self.ids[:1], self.docs[:1], self.requests[:1])
        try:
            return tuple(first.measure(first.harmless))
        except Exception:  # somebody's code, which may not like such answers
            return tuple(self.task.aggregation())

    @property
    def harmless(self) -> list[Response]:
        """For each request an answer as poor as can be."""
        return [_HARMLESS.get(request.request_type, "") for request in self.instances]

    def metric_of(self, stated: str) -> str:
        """The metric that an objective means: the stated one, or else the task's only one, or ``acc``.

        Raises:
            TaskError: The task has no such metric, less of it is better, or several could be meant.
        """
        if stated:
            self.check_metric(stated, self.metrics)
            return stated
        fit = [metric for metric in self.metrics if self._more_is_better(metric)]
        if len(fit) != 1 and "acc" not in fit:
            raise TaskError(f"task {self.name}: a metric, one of {', '.join(fit or self.metrics)}, got none")
        return fit[0] if len(fit) == 1 else "acc"

    def check_metric(self, metric: str, known: Sequence[str]) -> None:
        """See that a metric can be an objective.

        Args:
            metric: The metric.
            known: The metrics that the task gave.

        Raises:
            TaskError: The task has no such metric, or less of it is better.
        """
        if metric not in known:
            raise TaskError(f"task {self.name}: metrics are {', '.join(known)}, got {metric!r}")
        if not self._more_is_better(metric):
            raise TaskError(f"task {self.name}: a metric of which more is better, got {metric!r}")

    def _more_is_better(self, metric: str) -> bool:
        return self.task.higher_is_better().get(metric.split(",")[0]) is not False

    def _aggregation(self, metric: str) -> Callable[[list[Any]], Any]:
        """The task's own, or the mean, as in lm-eval."""
        from lm_eval.api.metrics import mean

        aggregation: Callable[[list[Any]], Any] = self.task.aggregation().get(metric.split(",")[0], mean)
        return aggregation


def _metric_key(metric: str, filter_name: str) -> str:
    return metric if filter_name == "none" else f"{metric},{filter_name}"


def _plain(value: Any) -> Any:
    """A metric's value as it comes back from JSON, so that what is stored and what is fresh are the same."""
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value
