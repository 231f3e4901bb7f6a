"""Where a source lies: a folder, a model of the zoo or of the Hub, or a LoRA adapter that is merged into its base."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from hm3 import zoo
from hm3.checkpoints import Adapter, Checkpoint, hub_folder, is_adapter, is_hub_id, merged_adapter
from hm3.checks import by_name, listing, path
from hm3.composition.sections import section
from hm3.errors import CheckpointError, ConfigurationError
from hm3.layers import family_of

_log = logging.getLogger(__name__)
_ZOO = "zoo:"
_ON = " on "  # between an adapter and its base


def open_source(name: str, text: object, merges: Path, base: Checkpoint | None = None) -> Checkpoint:
    """Open a source, whatever a user calls it.

    Args:
        name: What it is called.
        text: Where it is: a folder, ``zoo:NAME``, the id of a model on the Hub, or ``ADAPTER on BASE``.
        merges: The folder in which a merged adapter is kept.
        base: The run's base, for adapters that don't name a model of this machine.

    Raises:
        CheckpointError: It cannot be used.
        ConfigurationError: It is no path, or the zoo has no such model.
    """
    text, on = _parted(text)
    folder, origin = located(name, text)
    if not is_adapter(folder):
        if on is not None:
            raise ConfigurationError(f"source {name}: a LoRA adapter on {on!r}, got {text!r}, which is none")
        return Checkpoint.open(name, folder, origin=origin)
    adapter = Adapter.open(name, folder)
    base = _adapters_base(adapter, base) if on is None else open_source(f"{name}'s base", on, merges)
    family_of(base.name, base.config)
    _log.info("source %s: a LoRA adapter, merged into %s", name, base.path)
    return Checkpoint.open(name, merged_adapter(adapter, base, merges), origin=f"{origin}{_ON}{base.origin}")


def located(name: str, text: object) -> tuple[Path, str]:
    """A source's folder, and where anybody can find it again; what is on the Hub is fetched, and pinned to its commit.

    Raises:
        CheckpointError: It cannot be fetched.
        ConfigurationError: It is no path, or the zoo has no such model.
    """
    if not isinstance(text, str) or not text:
        raise ConfigurationError(f"source {name}: a folder or zoo:NAME, got {text!r}")
    if text.startswith(_ZOO):
        if text.removeprefix(_ZOO) not in zoo.SOURCES:
            raise ConfigurationError(f"source {name}: the zoo has {', '.join(zoo.SOURCES)}, got {text!r}")
        return zoo.source_path(text.removeprefix(_ZOO)), text
    if not is_hub_id(text):
        folder = path(f"source {name}", text)
        return folder, str(folder.absolute())
    folder = hub_folder(name, text)
    return folder, f"{text.partition('@')[0]}@{folder.name}"  # a snapshot's folder is called like its commit


def _parted(text: object) -> tuple[object, str | None]:
    """An adapter and the base that is stated with it; a folder may have the word in its name."""
    if not isinstance(text, str) or _ON not in text or path("source", text).exists():
        return text, None
    adapter, _, base = text.rpartition(_ON)
    return adapter, base


def anchored(settings: DictConfig, folder: Path) -> DictConfig:
    """The settings of a run that was started in `folder`, with its relative paths of sources and tasks made absolute.

    Only what is there is changed: ``org/name`` may as well be a model of the Hub.
    """
    settings = settings.copy()
    keys = ["sources.base", *_path_keys(settings)]
    for key in keys:
        text = OmegaConf.select(settings, key)
        if isinstance(text, str) and text and path(key, folder / text).exists():
            OmegaConf.update(settings, key, str(folder / text))
    return settings


def pinned(settings: DictConfig, origins: Mapping[str, str | None]) -> DictConfig:
    """The settings of a run with the commits that models of the Hub had then, whatever their branches have now.

    Args:
        settings: The run's.
        origins: Name of a source -> where it was found.
    """
    settings = settings.copy()
    for key in ["sources.base", *_expert_keys(settings)]:
        name = key.removesuffix(".path").rpartition(".")[2]
        text, origin = OmegaConf.select(settings, key), origins.get(name)
        if isinstance(text, str) and origin and origin.startswith(f"{text.partition('@')[0]}@"):
            OmegaConf.update(settings, key, origin)
    return settings


def stated_folders(settings: DictConfig) -> tuple[Path, ...]:
    """The folders that the section ``sources`` of a run names, there or not; a model of the Hub is in none of them."""
    keys = ["sources.base", *_expert_keys(settings)]
    texts = [part for key in keys for part in _parted(OmegaConf.select(settings, key))]
    return tuple(located("", text)[0] for text in texts if isinstance(text, str) and not is_hub_id(text))


def _path_keys(settings: DictConfig) -> Sequence[str]:
    include = listing("tasks.include", section(settings, "tasks").get("include") or [])
    return [*_expert_keys(settings), *(f"tasks.include.{i}" for i in range(len(include)))]


def _expert_keys(settings: DictConfig) -> Sequence[str]:
    experts = by_name("sources.experts", section(settings, "sources").get("experts") or {})
    plain = [f"sources.experts.{name}" for name, value in experts.items() if isinstance(value, str)]
    return [*plain, *(f"sources.experts.{name}.path" for name, value in experts.items() if not isinstance(value, str))]


def _adapters_base(adapter: Adapter, base: Checkpoint | None) -> Checkpoint:
    """The model that an adapter names, if it is on this machine, else the run's base."""
    if adapter.base and (Path(adapter.base).expanduser() / "config.json").is_file():
        base = Checkpoint.open(f"{adapter.name}'s base", Path(adapter.base).expanduser())
    if base is None:
        raise CheckpointError(
            f"source {adapter.name} ({adapter.path}): an adapter whose own base is a folder here, got {adapter.base!r}"
            " (ADAPTER on BASE names another)"
        )
    return base
