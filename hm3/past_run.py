"""A run of the past: its settings, its result, and the checkpoints that its recipes need."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from hm3.checkpoints import Checkpoint
from hm3.checks import path
from hm3.composition import anchored, open_checkpoints, open_objectives, source_checkpoints
from hm3.composition.sections import section
from hm3.composition.source_paths import pinned, stated_folders
from hm3.composition.sources import stated_expert
from hm3.composition.trained_on import origins
from hm3.errors import ConfigurationError
from hm3.levels import ConditionedSource, read_merged
from hm3.objectives import Preference
from hm3.parameter import MergeCache
from hm3.parameter.pareto import METHOD
from hm3.recipe import Recipe, Source
from hm3.runs import FrontFile, Member, RunFolder

PARTS = ("online", "evaluator", "tracking")  # settings of a run that a later command may change
SINGLE = ("seed", "rivals", "export")


@dataclass(frozen=True)
class PastRun:
    """A run folder with the settings that made it.

    Attributes:
        folder: Where it lies.
        settings: As composed when it ran.
        merged_in: The folder of the run whose parameter level made its merged sources.
    """

    folder: RunFolder
    settings: DictConfig
    merged_in: RunFolder

    @classmethod
    def open(cls, run: object) -> PastRun:
        """Open the folder of a training run, or of a search, which has the settings of its training run.

        Raises:
            ConfigurationError: It is none.
        """
        folder = RunFolder(path("run", run))
        settings = _saved(folder, "config.yaml")
        cwd = OmegaConf.select(_saved(folder, "hydra.yaml"), "hydra.runtime.cwd")
        began = path("run: hydra.runtime.cwd", cwd or ".")  # what relative paths are relative to
        if "run" not in settings:
            return cls(folder, pinned(anchored(settings, began), origins(folder)), folder)
        trained = cls.open(began / str(settings.run))
        return cls(folder, trained.settings_with(settings), trained.merged_in)

    def settings_with(self, changes: DictConfig) -> DictConfig:
        """The run's settings with what a later command states instead."""
        settings = self.settings.copy()
        settings.budget = changes.budget
        OmegaConf.set_struct(settings, True)
        for part in PARTS:
            stated = {name: value for name, value in section(changes, part).items() if value is not None}
            settings[part] = OmegaConf.merge(section(settings, part), stated)
        for name in SINGLE:
            if changes[name] is not None:
                settings[name] = changes[name]
        return settings

    @cached_property
    def front(self) -> FrontFile:
        """The run's result.

        Raises:
            ConfigurationError: It has none.
        """
        return self.folder.read_front()

    @property
    def weights(self) -> dict[str, float] | None:
        """The run's preference, or None where it never got to a result."""
        return self.front.preference.as_dict() if self.folder.front.is_file() else None

    @property
    def recipes(self) -> list[Recipe]:
        """The run's front; empty where it never got to a result."""
        return [member.recipe for member in self.front.candidates] if self.folder.front.is_file() else []

    def member(self, digest: str) -> Member:
        """The candidate whose digest begins with `digest`.

        Raises:
            ConfigurationError: There is none, or more than one.
        """
        found = [member for member in self.front.candidates if member.recipe.digest.startswith(digest)]
        if len(found) != 1 or not digest:
            raise ConfigurationError(
                f"candidate: the beginning of one digest on the front, got {digest!r} ({len(found)} fit)"
            )
        return found[0]

    @property
    def folders(self) -> tuple[Path, ...]:
        """Where the sources are that the run was given, on this machine; nothing may be written over them."""
        return stated_folders(self.settings)

    def checkpoints(self, recipe: Recipe) -> Mapping[str, Checkpoint]:
        """Name -> checkpoint for every source of a recipe, merged ones built if need be; no other source is opened.

        Raises:
            CheckpointError: A source cannot be used any more.
            ConfigurationError: A source is not what it was when the run used it, or the settings don't name it.
        """
        if self.conditioned is not None:
            self.merges.keep_tensor(self.conditioned.tensor)
        return self._opened(recipe.sources)

    @property
    def merges(self) -> MergeCache:
        """Where its merged sources are kept."""
        return MergeCache(path("merges", self.settings.merges))

    @cached_property
    def objectives(self) -> tuple[str, ...]:
        """The names of its objectives, in order."""
        return tuple(objective.name for objective in open_objectives(self.settings.tasks))

    @cached_property
    def conditioned(self) -> ConditionedSource | None:
        """What its parameter level gives to any preference; None where it trained no tensor.

        Raises:
            CheckpointError: The tensor is damaged.
        """
        merged = read_merged(self.merged_in)
        if merged is None or merged.tensor is None:
            return None
        scored = [objective.name for objective in open_objectives(self.settings.tasks) if objective.task]
        experts = (stated_expert(self.settings.sources, expert, scored) for expert in merged.tensor.experts)
        return ConditionedSource(merged.tensor, tuple(experts), self.objectives)

    def merged_for(self, preference: Preference) -> Recipe:
        """The merged model that its parameter level gives to a preference.

        Raises:
            ConfigurationError: It trained no tensor.
        """
        if self.conditioned is None:
            raise ConfigurationError(f"parameter: a run with parameter={METHOD}, got {self.folder.path}")
        base = self.conditioned.tensor.base
        return Recipe.identity(self.conditioned(preference.weights), self._opened([base])[base.name].depth)

    def _opened(self, sources: Collection[Source]) -> dict[str, Checkpoint]:
        missing = {each.name for source in sources for each in self.merges.missing(source)}
        given = open_checkpoints(self.settings.sources, self.merges.folder, missing)
        return source_checkpoints(sources, given, self.merges)


def _saved(folder: RunFolder, name: str) -> DictConfig:
    """What Hydra kept of a command."""
    file = folder.path / ".hydra" / name
    if not file.is_file():
        raise ConfigurationError(f"run: the folder of a run, with .hydra/{name}, got {folder.path}")
    try:
        settings = OmegaConf.load(file)
    except (OSError, ValueError, YAMLError, OmegaConfBaseException) as error:
        raise ConfigurationError(f"run: settings in {file}, got {str(error)[:200]}") from error
    if not isinstance(settings, DictConfig) or not {"sources", "run", "hydra"} & set(settings):
        raise ConfigurationError(f"run: the folder of hm3.train or hm3.search, got {folder.path} of another command")
    return settings
