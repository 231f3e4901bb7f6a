"""Tasks that run what a model writes: refused unless that is allowed, and then judged in the sandbox only."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

from hm3.errors import TaskError
from hm3.evaluation.code_judge import METRIC, CodeJudge, ProgramFilter
from hm3.evaluation.sandbox import Limits, check_sandbox

CODE_EVAL = "code_eval"  # Hugging Face's metric: from the network, and it runs programs with all of the user's rights
JUDGE = CodeJudge(Limits())
Answer = TypeVar("Answer")


def runs_code(config: Mapping[str, Any]) -> bool:
    """Whether a task's settings say that it runs code: ``unsafe_code``, or a metric that does."""
    metrics = [entry.get("metric") for entry in config.get("metric_list") or () if isinstance(entry, Mapping)]
    return bool(config.get("unsafe_code")) or any(_runs_code(metric) for metric in metrics)


def load_vetted(manager: Any, names: Sequence[str], load: Callable[[Any, str], Any], allowed: bool) -> dict[str, Any]:
    """Load tasks; those that run code are refused, or judged in the sandbox.

    Args:
        manager: lm-eval's, which knows all of `names`.
        names: Task names.
        load: Loads one of them.
        allowed: Whether code that a model wrote may run.

    Raises:
        TaskError: A task runs code, and that is not allowed or cannot be done in the sandbox.
        ConfigurationError: It is allowed, but this machine has no sandbox.
    """
    # Asked of settings, not of tasks: the files of a task's functions may run code as soon as they are imported.
    running = [name for name in names if runs_code(manager.task_index[name].cfg or {})]
    if running and not allowed:
        raise _refusal(running[0])
    if running:
        check_sandbox(JUDGE.limits)
    os.environ.pop("HF_ALLOW_CODE_EVAL", None)  # consent to run code in this very process: here it does not count
    with sandbox_metrics() if running else nullcontext():
        tasks = {name: load(manager, name) for name in names}
    for name, task in tasks.items():
        if name in running or _unsafe(task) or judge_of(task):
            _check(name, task, allowed)
    return tasks


def _check(name: str, task: Any, allowed: bool) -> None:
    """See that a task that runs code may, and does so in the sandbox."""
    if not allowed:
        raise _refusal(name)
    if judge_of(task) is None:
        raise TaskError(f"task {name}: code is judged by {METRIC} or {CODE_EVAL}, got unsafe_code without them")
    if task.multiple_target:
        raise TaskError(f"task {name}: doc_to_target gives all assertions as one text, got a list: one would do")


def judge_of(task: Any) -> CodeJudge | None:
    """The judge that a task's metrics call, or None where it runs no code."""
    functions = [*getattr(task, "_metric_fn_list", {}).values(), task.config.process_results]
    return next((value for function in functions for value in _within(function) if isinstance(value, CodeJudge)), None)


def sandboxed(tasks: Iterable[Any]) -> bool:
    """Whether all tasks that run code do it in the sandbox."""
    return all(judge_of(task) for task in tasks if _unsafe(task))


def judged(task: Any, ask: Callable[[], Answer]) -> Answer:
    """What `ask` says, which may ask the task's metrics about programs: those run at once, on all cores.

    Args:
        task: lm-eval's task.
        ask: Called twice where the task runs code; the first time nothing is run, and what it says is forgotten.
    """
    judge = judge_of(task)
    if judge is not None:
        judge.prepare(ask)
    return ask()


def verdict_key(task: Any) -> list[str]:
    """What decides a task's scores beside questions and answers: nothing, unless it runs code."""
    judge = judge_of(task)
    return [] if judge is None else judge.key


@contextmanager
def sandbox_metrics() -> Iterator[None]:
    """lm-eval has the metric ``pass@1`` and the filter ``program``; within, `evaluate` loads our ``code_eval``."""
    import evaluate

    _register()
    load = evaluate.load

    @functools.wraps(load)
    def routed(path: str, *arguments: Any, **options: Any) -> Any:
        return JUDGE if _runs_code(path) else load(path, *arguments, **options)

    evaluate.load = routed
    try:
        yield
    finally:
        evaluate.load = load


def _register() -> None:
    from lm_eval.api.registry import filter_registry, metric_registry, register_filter, register_metric

    if METRIC not in metric_registry:
        register_metric(metric=METRIC, higher_is_better=True, aggregation="mean")(JUDGE.pass_at_1)
    if "program" not in filter_registry:
        register_filter("program")(ProgramFilter)


def _unsafe(task: Any) -> bool:
    return bool(getattr(task, "UNSAFE_CODE", False))  # what lm-eval makes of ``unsafe_code``


def _runs_code(metric: object) -> bool:
    return isinstance(metric, str) and metric.split("/")[-1] in (METRIC, CODE_EVAL)


def _within(function: Any) -> list[Any]:
    """What a function is bound to, or else what its module holds; a method's wrapper is seen through."""
    owner = getattr(function, "__self__", function)
    return [owner, *getattr(owner, "__globals__", {}).values()]


def _refusal(name: str) -> TaskError:
    return TaskError(
        f"task {name}: runs code that models write, which evaluator.allow_code_execution must allow, got false"
    )
