"""From a configuration to a session: the only place where settings become parts."""

from __future__ import annotations

import inspect
import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from envs.pool import Pool
from envs.preferences import Around, Dirichlet, Holdout, PreferenceSampler
from envs.rules import PathRules
from envs.space import StackSpace
from hm3 import closing, zoo
from hm3.checkpoints import Checkpoint, check_compatible, write_atomic
from hm3.command import preference_weights, resolved
from hm3.errors import ConfigurationError
from hm3.layers import family_of
from hm3.objectives import Objective, Preference
from hm3.offline import Judged
from hm3.parameter import Expert, MergeCache, rival_specs
from hm3.progress import ConsoleProgress, Stage
from hm3.recipe import MergeSpec, Source
from hm3.runs import FrontFile, RunFolder
from hm3.session import Session
from hm3.tracking import JsonlTracker, Tee, Tracker, wandb_tracker
from hm3.workbench import Machine, Workbench

_log = logging.getLogger(__name__)
_ZOO = "zoo:"


@dataclass(frozen=True)
class Sources:
    """The given models, opened.

    Attributes:
        base: What merges take differences to; the first source.
        experts: The fine-tuned models and what they are for.
        checkpoints: All of them by name, the base first.
    """

    base: Checkpoint
    experts: tuple[Expert, ...]
    checkpoints: Mapping[str, Checkpoint]


@dataclass(frozen=True)
class Composition:
    """A session with what only commands need.

    Attributes:
        session: The run at work.
        space: The stacks that may be written.
        rivals: The merges to compare with.
        folder: The run folder.
    """

    session: Session
    space: StackSpace
    rivals: Sequence[MergeSpec]
    folder: RunFolder

    def conclude(self, found: Judged, *, export: bool) -> FrontFile:
        """Judge rivals and test split, write the result, export the chosen model."""
        front = closing.conclude(self.session, found, self.rivals, self.folder)
        if export:
            closing.export(self.session, front, front.chosen_member, self.folder)
        return front

    def write_pool(self) -> None:
        """Write ``pool.json``: what the policy was trained on, so that nobody asks it about anything else."""
        write_atomic(self.folder.path / "pool.json", json.dumps(self._pool_json(), indent=1) + "\n")

    def check_pool(self, run: RunFolder) -> None:
        """See that a run's policy was trained on this space.

        Raises:
            ConfigurationError: Sources or rules have changed since.
        """
        path = run.path / "pool.json"
        if not path.is_file():
            raise ConfigurationError(f"run: a folder with a trained policy, got {run.path} without pool.json")
        if json.loads(path.read_text()) != self._pool_json():
            raise ConfigurationError(f"run: sources and rules as when {run.path} was trained, got others")

    def _pool_json(self) -> dict[str, Any]:
        pool = self.space.pool
        return {
            "sources": [source.to_json() for source in pool.sources],
            "depths": list(pool.depths),
            "rules": asdict(self.space.rules),
        }

    def searcher(self, agent: DictConfig, sampler: PreferenceSampler, rollouts: int, normaliser: Any) -> Any:
        """The searcher that a configuration names, given of this run what its constructor asks for."""
        build = instantiate(agent, _convert_="all")
        offered = {
            "space": self.space,
            "normaliser": normaliser,
            "utility": self.session.utility,
            "sampler": sampler,
            "seed": self.session.seed,
            "rollouts": rollouts,
        }
        taken = inspect.signature(build).parameters
        return build(**{name: value for name, value in offered.items() if name in taken})


def run_folder() -> RunFolder:
    """The folder that Hydra made for this run."""
    return RunFolder(Path(HydraConfig.get().runtime.output_dir))


def stated_weights(config: DictConfig) -> dict[str, float] | None:
    """The preference on the command line, or None."""
    return preference_weights(config, HydraConfig.get().overrides.task)


def train_stages(config: DictConfig) -> list[Stage]:
    """What a training run's progress tells, with the cost of an item of each stage in evaluations on the screen."""
    return [Stage("offline", config.offline.rollouts, config.offline.episodes), *search_stages(config)]


def search_stages(config: DictConfig) -> list[Stage]:
    """What the online stage's progress tells."""
    online, tasks = config.online, len(config.tasks.objectives)
    points = math.comb(online.divisions + tasks - 1, tasks - 1)
    proposals = Stage("proposals", points * online.each // 2 + online.own)
    return [proposals, Stage("online", online.survivors, 5), Stage("merges", config.rivals, 15), Stage("test", 20, 10)]


@contextmanager
def composed(
    config: DictConfig, folder: RunFolder, weights: Mapping[str, float] | None, stages: Sequence[Stage]
) -> Iterator[Composition]:
    """Open everything that a configuration names; whatever is wrong with it is said before the long work begins.

    Args:
        config: As composed from ``conf/train.yaml``.
        folder: The run folder.
        weights: The user's preference as stated, or None for equal weights.
        stages: What the run's progress will tell.
    """
    objectives = open_objectives(config.tasks)
    preference = Preference.of(weights, [objective.name for objective in objectives])
    utility = instantiate(config.utility)
    sources = open_sources(config.sources)
    merged = _merged(config.parameter, sources, objectives)
    space = StackSpace(_pool(sources, merged), _rules(config.env, sources.base.depth))
    rivals = _rivals(config.rivals, sources)
    merges = MergeCache(Path(config.merges))
    with open_bench(config, list(sources.checkpoints.values()), objectives) as bench:
        for source in merged:
            bench.add(merged_checkpoint(source, merges, sources.checkpoints))
        tracker = open_tracker(config, folder)
        with ConsoleProgress(stages) as progress:
            identities = tuple(space.pool.identities())
            session = Session(bench, identities, preference, utility, progress, tracker, int(config.seed))
            yield Composition(session, space, rivals, folder)
        tracker.finish()


def open_sources(config: DictConfig) -> Sources:
    """Open the base and the experts and see that their layers fit together.

    Raises:
        CheckpointError: A source cannot be used, or differs from the base where it must not.
        ConfigurationError: There is no expert, or an expert is described by something else than path and objectives.
    """
    base = Checkpoint.open("base", source_folder(config.base))
    described = {str(name): _described(str(name), value) for name, value in (config.experts or {}).items()}
    if not described:
        raise ConfigurationError("sources.experts: at least one, sources.experts.NAME=PATH, got none")
    opened = {name: Checkpoint.open(name, source_folder(value["path"])) for name, value in described.items()}
    checkpoints = {"base": base, **opened}
    for checkpoint in checkpoints.values():
        family_of(checkpoint.name, checkpoint.config)
    for warning in check_compatible(list(checkpoints.values()), config.get("on_mismatch", "refuse")):
        _log.warning("%s", warning)
    experts = tuple(
        Expert(opened[name].source, tuple(value.get("objectives") or ()), float(value.get("weight", 0.0)))
        for name, value in described.items()
    )
    return Sources(base, experts, checkpoints)


def _described(name: str, value: Any) -> dict[str, Any]:
    """An expert's settings; a plain path is one that is for no objective."""
    if isinstance(value, str):
        return {"path": value}
    known = ("path", "objectives", "weight")
    plain = OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    if not isinstance(plain, dict) or "path" not in plain or not set(plain) <= set(known):
        raise ConfigurationError(f"sources.experts.{name}: a path, or {', '.join(known)}, got {plain!r}")
    if name == "base":
        raise ConfigurationError("sources.experts: names other than base, got base")
    return {str(key): setting for key, setting in plain.items()}


def source_folder(text: str) -> Path:
    """A source's folder; ``zoo:math`` is one of the built-in models."""
    if not str(text).startswith(_ZOO):
        return Path(text).expanduser()
    name = str(text).removeprefix(_ZOO)
    if name not in zoo.SOURCES:
        raise ConfigurationError(f"sources: the zoo has {', '.join(zoo.SOURCES)}, got {text!r}")
    return zoo.source_path(name)


def open_objectives(config: DictConfig) -> tuple[Objective, ...]:
    """The objectives, in the configuration's order.

    Raises:
        ConfigurationError: There is none, or one isn't described by task, metric and floor.
    """
    described = resolved(config).get("objectives") or {}
    if not described:
        raise ConfigurationError("tasks.objectives: at least one, got none")
    return tuple(_objective(name, value) for name, value in described.items())


def _objective(name: str, value: Any) -> Objective:
    if value == "depth":
        return Objective(name, "", "depth")
    if not isinstance(value, dict) or not {"task", "metric"} <= set(value) <= {"task", "metric", "floor"}:
        raise ConfigurationError(f"tasks.objectives.{name}: task, metric and floor, or depth, got {value!r}")
    return Objective(name, str(value["task"]), str(value["metric"]), float(value.get("floor", 0.0)))


def _merged(config: DictConfig, sources: Sources, objectives: Sequence[Objective]) -> list[Source]:
    level = instantiate(config, _convert_="all")
    scored = [objective.name for objective in objectives if objective.task]
    merged: list[Source] = level(sources.base.source, sources.experts, scored)
    return merged


def _pool(sources: Sources, merged: Sequence[Source]) -> Pool:
    given = [checkpoint.source for checkpoint in sources.checkpoints.values()]
    depths = [checkpoint.depth for checkpoint in sources.checkpoints.values()]
    return Pool((*given, *merged), (*depths, *(sources.base.depth for _ in merged)))


def _rules(config: DictConfig, depth: int) -> PathRules:
    low = math.ceil(0.75 * depth) if config.min_depth is None else config.min_depth
    high = math.floor(1.25 * depth) if config.max_depth is None else config.max_depth
    return PathRules(
        low, max(low, high) if config.max_depth is None else high, config.max_repeats, config.reach, config.host
    )


def _rivals(count: int, sources: Sources) -> list[MergeSpec]:
    parents = [expert.source for expert in sources.experts]
    return rival_specs(sources.base.source, parents, count) if count and len(parents) > 1 else []


def merged_checkpoint(source: Source, merges: MergeCache, given: Mapping[str, Checkpoint]) -> Checkpoint:
    """A merged source as a checkpoint, built if it is not kept already."""
    assert source.merge is not None
    path = merges.get(source.merge, {name: checkpoint.path for name, checkpoint in given.items()})
    return Checkpoint.open(source.name, path, merge=source.merge)


def open_bench(config: DictConfig, checkpoints: Sequence[Checkpoint], objectives: Sequence[Objective]) -> Workbench:
    """Tasks, evaluators and workers."""
    settings = config.evaluator
    megabytes = 1 << 20
    return Workbench.open(
        checkpoints,
        objectives,
        include=task_folders(config.tasks),
        store=Path(settings.store).expanduser(),
        machine=Machine(
            device=settings.device,
            dtype=settings.dtype,
            workers=settings.workers,
            cache_bytes=int(settings.cache_mb * megabytes),
            bank_bytes=None if settings.bank_mb is None else int(settings.bank_mb * megabytes),
            batch=settings.batch,
            requests=settings.requests,
        ),
        screen_items=settings.screen_items,
        search_items=settings.search_items,
        test_items=settings.test_items,
    )


def task_folders(config: DictConfig) -> list[Path]:
    """The folders with task files; ``zoo:tasks`` is the built-in one.

    Raises:
        ConfigurationError: One is no folder.
    """
    return [_task_folder(text) for text in config.get("include") or ()]


def _task_folder(text: str) -> Path:
    folder = zoo.TASKS if text == f"{_ZOO}tasks" else Path(text).expanduser()
    if not folder.is_dir():
        raise ConfigurationError(f"tasks.include: folders with task files, got {text!r}")
    return folder


def open_tracker(config: DictConfig, folder: RunFolder) -> Tracker:
    """The run folder's metrics file, and wandb unless it is switched off."""
    folder.path.mkdir(parents=True, exist_ok=True)
    own = JsonlTracker(folder.path)
    if not config.tracking.wandb:
        return own
    return Tee(own, wandb_tracker(resolved(config), folder=folder.path, project=config.tracking.project))


def sampler_of(config: DictConfig, preference: Preference) -> PreferenceSampler:
    """Where the preferences of training episodes come from."""
    sampler: PreferenceSampler = Dirichlet(len(preference.names), config.corners)
    if config.user_share:
        sampler = Around(sampler, preference.weights, config.user_share)
    if config.kept_out:
        kept_out = tuple(tuple(float(weight) for weight in weights) for weights in config.kept_out)
        sampler = Holdout(sampler, kept_out, config.radius)
    return sampler
