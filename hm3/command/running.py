"""How a command meets people: Hydra composes, and whatever goes wrong is one line that says what to change."""

from __future__ import annotations

import functools
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from hm3.command.complaints import complaint
from hm3.command.folders import register
from hm3.command.quiet import quiet
from hm3.errors import ConfigurationError, OutputError

USER_ERROR, UNEXPECTED, INTERRUPTED = 2, 1, 130
_FULL = "HYDRA_FULL_ERROR"

Task = Callable[[DictConfig], None]


class _StoppedError(BaseException):
    """Carries a task's error past Hydra, which would print lines of its own about an `Exception`."""


def command(config_name: str, config_path: str = "../conf") -> Callable[[Task], Callable[[], None]]:
    """Make a function a command: ``hydra.main``, with errors as one line on stderr.

    Exits with 2 where the user must change something, 1 where nobody expected it, 130 after Ctrl-C. Tracebacks show
    with ``HYDRA_FULL_ERROR=1`` only. The jobs of a ``--multirun`` go on when one of them fails.

    Args:
        config_name: The configuration, ``train`` for ``conf/train.yaml``.
        config_path: Its folder, seen from the file of the decorated function.
    """

    def decorate(task: Task) -> Callable[[], None]:
        register()
        folder = (Path(task.__code__.co_filename).resolve().parent / config_path).resolve()
        # Absolute, so that it holds however the command's module was imported.
        run = hydra.main(version_base="1.3", config_path=str(folder), config_name=config_name)

        @functools.wraps(task)
        def main() -> None:
            sys.exit(_run(run, task))

        return main

    return decorate


def resolved(config: DictConfig) -> dict[str, Any]:
    """The configuration as plain dicts and lists, interpolations resolved.

    Raises:
        omegaconf.MissingMandatoryValue: A value is still ``???``.
    """
    plain: dict[str, Any] = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)  # type: ignore[assignment]
    return plain


def _run(run: Callable[[Task], Callable[[], None]], task: Task) -> int:
    _print_anything()
    if os.environ.get(_FULL, "0") not in ("", "0"):
        run(_quietly(task))()
        return 0
    failed: list[int] = []
    try:
        _check_flags()
        with _set(_FULL, "1"):  # makes Hydra raise what it would otherwise print
            run(_contained(task, failed))()
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)
    except _StoppedError as stopped:
        return _report(stopped.__cause__ or stopped)
    except OSError as error:
        return _report(error if isinstance(error, HydraException) else _no_run_folder(error))
    except Exception as error:
        return _report(error)
    return min(failed, default=0)


def _print_anything() -> None:
    """Where the locale cannot show a letter, a question mark stands for it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _contained(task: Task, failed: list[int]) -> Task:
    """The task, without our setting in its environment and with its errors kept from Hydra's hands.

    A job of a multirun that fails says so at once, adds its exit code to `failed` and lets the others run.
    """

    @functools.wraps(task)
    def contained(config: DictConfig) -> None:
        with _set(_FULL, None):
            quiet()
            try:
                task(config)
            except Exception as error:
                if HydraConfig.get().mode != RunMode.MULTIRUN:
                    raise _StoppedError from error
                failed.append(_report(error, f"job {HydraConfig.get().job.num}: "))

    return contained


def _quietly(task: Task) -> Task:
    @functools.wraps(task)
    def quietly(config: DictConfig) -> None:
        quiet()
        task(config)

    return quietly


def _check_flags() -> None:
    """Hydra's own flags, read as Hydra will; argparse would print its usage about a wrong one."""
    parser = get_args_parser()

    def refuse(message: str) -> None:
        rule = "settings are written key=value, without dashes, after flags such as --multirun"
        raise ConfigurationError(f"command line: {rule} ({message})")

    parser.error = refuse  # type: ignore[method-assign, assignment]
    parser.parse_args()


def _no_run_folder(error: OSError) -> OutputError:
    """The task's errors never come plain: what does is Hydra's, when it makes the run folder."""
    setting = "hydra.sweep.dir" if get_args_parser().parse_args().multirun else "hydra.run.dir"
    return OutputError(f"{setting}: a folder that can be written, got {error.filename} ({error.strerror or error})")


def _report(error: BaseException, where: str = "") -> int:
    line, expected = complaint(error)
    return _say(where + line, USER_ERROR if expected else UNEXPECTED)


def _say(line: str, code: int) -> int:
    sys.stderr.write(line + "\n")
    return code


@contextmanager
def _set(name: str, value: str | None) -> Iterator[None]:
    """An environment variable for a while; None takes it away."""
    before = os.environ.get(name)
    _put(name, value)
    try:
        yield
    finally:
        _put(name, before)


def _put(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value
