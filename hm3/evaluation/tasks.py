"""lm-eval tasks: their documents on a split, the requests made of them, and the metrics of the answers."""

from __future__ import annotations

import inspect
import logging
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from hm3.errors import TaskError
from hm3.evaluation.templates import keep_compiled_templates
from hm3.recipe import digest_of

Response = tuple[float, bool] | float | str  # what a model answers to one request, as lm-eval has it
Measures = dict[str, list[Any]]  # metric -> one value for each document
_FIELD = re.compile(r"\{\{\s*(\w+)")  # what a template reads
FEWSHOT_SEED = 1234  # the one that lm-eval's simple_evaluate sets

logging.getLogger("lm_eval").setLevel(logging.ERROR)  # it warns at every custom data set


def load_tasks(names: Sequence[str], include: Sequence[Path]) -> dict[str, Any]:
    """lm-eval tasks by name. Its own thousands are only listed where a name isn't found in `include`.

    Args:
        names: Task names.
        include: Folders with task YAML files.

    Raises:
        TaskError: There is no such task, it is a group, or it cannot be read.
    """
    from lm_eval.tasks import TaskManager

    keep_compiled_templates()
    manager = TaskManager(include_path=[str(path) for path in include], include_defaults=False)
    if not set(names) <= set(manager.all_subtasks):
        manager = TaskManager(include_path=[str(path) for path in include])
    for name in names:
        if name not in manager.all_subtasks:
            raise TaskError(f"task: an lm-eval task, from {_places(include)} or lm-eval's own, got {name!r}")
    return {name: _load(manager, name) for name in names}


def _places(include: Sequence[Path]) -> str:
    return ", ".join(map(str, include)) or "no folder of yours"


def _load(manager: Any, name: str) -> Any:
    try:
        return manager.load([name])["tasks"][name]
    except Exception as error:  # a task is somebody's code and data: whatever it raises, the user needs its name
        raise TaskError(f"task {name}: must load, got {type(error).__name__}: {error}") from error


@dataclass(frozen=True)
class TaskItems:
    """Some documents of one task, with the requests that lm-eval makes of them.

    Attributes:
        name: The task's name.
        task: lm-eval's task.
        ids: The documents' numbers on their split.
        docs: The documents.
        requests: For each document its lm-eval ``Instance``s, in order.
    """

    name: str
    task: Any
    ids: tuple[int, ...]
    docs: tuple[Mapping[str, Any], ...]
    requests: tuple[tuple[Any, ...], ...]

    @classmethod
    def build(cls, name: str, task: Any, docs: Mapping[int, Mapping[str, Any]]) -> TaskItems:
        """Make the requests of `docs` (number on the split -> document), as lm-eval makes them.

        Raises:
            TaskError: A document without an answer, or a task that asks the same more than once.
        """
        repeats = task.config.repeats or 1
        if repeats > 1:
            raise TaskError(
                f"task {name}: one answer for each request (repeats: 1), got repeats: {task.config.repeats}"
            )
        shots = task.config.num_fewshot or 0
        task.set_fewshot_seed(FEWSHOT_SEED)
        requests = []
        for number, doc in docs.items():
            context = task.fewshot_context(doc, num_fewshot=shots, gen_prefix=task.doc_to_prefix(doc))
            made = task.construct_requests(doc=doc, ctx=context, metadata=(name, number, task.config.repeats))
            made = tuple(made) if isinstance(made, list) else (made,)
            _check_answer(name, number, task, doc, made)
            requests.append(made)
        return cls(name, task, tuple(docs), tuple(docs.values()), tuple(requests))

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
        config = self.task.config
        rules = _stable([config.metric_list, config.filter_list, config.process_results, self.task.VERSION])
        return digest_of([self.name, rules, metadata.version("lm-eval"), asked, judged])

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
        if self.task.higher_is_better().get(metric.split(",")[0]) is False:
            raise TaskError(f"task {self.name}: a metric of which more is better, got {metric!r}")

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


def _stable(value: Any) -> Any:
    """A setting as a JSON value that is the same in every process; a function is its file's text."""
    if isinstance(value, Mapping):
        return [[str(key), _stable(part)] for key, part in sorted(value.items())]
    if isinstance(value, list | tuple):
        return [_stable(part) for part in value]
    if not callable(value):
        return repr(value)
    try:
        return [getattr(value, "__qualname__", ""), Path(inspect.getsourcefile(value) or "").read_text()]
    except (OSError, TypeError):
        return getattr(value, "__qualname__", type(value).__qualname__)


def _check_answer(name: str, number: int, task: Any, doc: Mapping[str, Any], made: tuple[Any, ...]) -> None:
    try:
        target = task.doc_to_target(doc)
        known = _is_answer(task, doc, target)
    except Exception as error:  # templates raise what they like
        raise TaskError(f"task {name}, item {number}: an answer, got {type(error).__name__}: {error}") from error
    asked = [request.arguments[1] for request in made if request.request_type == "loglikelihood"]
    if not known or not all(isinstance(text, str) and text.strip(" ") for text in asked):
        raise TaskError(f"task {name}, item {number}: an answer that is not empty, got {target!r}")


def _is_answer(task: Any, doc: Mapping[str, Any], target: Any) -> bool:
    """Whether a target is there and, where there are choices, is one of them."""
    if target is None or (isinstance(target, str | list) and not target):
        return False
    template = task.config.doc_to_target
    fields = [template, *_FIELD.findall(template)] if isinstance(template, str) else []
    if any(field in doc and doc[field] is None for field in fields):  # templates write "None"
        return False
    if task.OUTPUT_TYPE != "multiple_choice" or task.multiple_input:
        return True
    choices = task.doc_to_choice(doc)
    targets = target if isinstance(target, list) else [target]
    return all(0 <= each < len(choices) if isinstance(each, int) else each in choices for each in targets)
