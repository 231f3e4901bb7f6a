"""What an error says to the person at the terminal: one line with what, the rule, and what came."""

from __future__ import annotations

import difflib
import re
import traceback
from collections.abc import Iterator
from pathlib import Path

import hydra
from hydra.errors import (
    HydraException,
    InstantiationException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, MissingMandatoryValue, OmegaConfBaseException
from yaml import YAMLError

from hm3.errors import HM3Error

_NOISE = ("full_key:", "object_type=", "reference_type=", "See https://", "Set the environment variable HYDRA")
_OPEN = ("sources.experts", "tasks.objectives", "parameter.settings")  # where users add names of their own
_TAKEN = re.compile(r"An item is already at '(?P<key>[^']+)'.*?remove \+ prefix: '[^=]*=(?P<value>[^\n]*)'", re.DOTALL)

_UNLIKE = re.compile(r"Error merging override (?P<key>[^=]+)=(?P<value>\[.*\])$", re.MULTILINE)


def complaint(error: BaseException) -> tuple[str, bool]:
    """The line for an error, and whether it is the user's to mend (else nobody expected it)."""
    for each in _chain(error):
        if isinstance(each, HM3Error):
            return one_line(f"error: {each}"), True
    if isinstance(error, InstantiationException) or not (
        isinstance(error, HydraException | OmegaConfBaseException | YAMLError) or _raised_by_hydra(error)
    ):
        root = list(_chain(error))[-1]
        hint = "HYDRA_FULL_ERROR=1 shows where"
        return one_line(f"unexpected error: {type(root).__name__}: {root}") + f" ({hint})", False
    return one_line(f"error: {_of_hydra(error)}"), True


def _raised_by_hydra(error: BaseException) -> bool:
    """Whether Hydra, while it read the command line, raised something that is no error of its own kinds."""
    frames = traceback.extract_tb(error.__traceback__)
    return bool(frames) and Path(frames[-1].filename).is_relative_to(Path(hydra.__file__).parent)


def one_line(text: str) -> str:
    """A message without line ends, control characters and what Hydra and OmegaConf add for their own developers."""
    lines = (line.strip() for line in text.splitlines())
    line = " ".join(line for line in lines if line and not line.startswith(_NOISE))
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in line)


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__


def _of_hydra(error: BaseException) -> str:
    cause = error.__cause__
    if isinstance(error, MissingConfigException) and error.options and error.missing_cfg_file:
        return _unknown_option(error.missing_cfg_file, error.options)
    if isinstance(error, OverrideParseException):
        reason = one_line(error.message.removeprefix(f"Error parsing override '{error.override}'"))
        return f"command line: settings are written key=value, got {error.override!r} ({reason})"
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key}: needs a value, {error.full_key}=..., got none"
    for each in (error, cause):
        if isinstance(each, ConfigKeyError | ConfigAttributeError):
            return _unknown_key(each)
    if taken := _TAKEN.search(str(error)):
        return _set_already(taken["key"], taken["value"])
    if unlike := _UNLIKE.search(str(error)):
        return f"{unlike['key']}: settings by name, {unlike['key']}.NAME=VALUE, got {unlike['value']}"
    return "\n".join(part for part in (str(error), str(cause or "")) if part)


def _unknown_option(file: str, options: object) -> str:
    group, _, choice = file.rpartition("/") if file.startswith("hydra/") else file.partition("/")
    known = ", ".join(str(option) for option in options) if isinstance(options, list | tuple) else str(options)
    return f"{group}: one of {known}, got {choice!r}"


def _set_already(key: str, value: str) -> str:
    # An unquoted {math:0.6,code:0.4} reaches us as two overrides of the same key, one without its braces each.
    hint = f"; braces need quotes: '+{key}={{{value},...}}'" if ":" in value else f"; to change it write {key}={value}"
    return f"{key}: is set already, got +{key}={value}{hint}"


def _unknown_key(cause: ConfigKeyError | ConfigAttributeError) -> str:
    parent = cause.parent_node
    known = [str(key) for key in parent if key != "hydra"] if isinstance(parent, DictConfig) else []
    where, _, name = str(cause.full_key).rpartition(".")
    if where in _OPEN or (where == "sources" and not known):  # those of a recipe
        return f"{where}: {', '.join(known) or 'nothing'} so far, got {name!r}; to add it write +{cause.full_key}=..."
    if not isinstance(parent, DictConfig):
        return f"{where}: one value, {where}=VALUE, got {cause.full_key}"
    near = difflib.get_close_matches(str(cause.key), known, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return f"{cause.full_key}: no such setting; there are {', '.join(known) or 'none'}; got {cause.key!r}{hint}"
