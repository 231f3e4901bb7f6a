"""Settings: any value in any place of the configuration, and any text on the command line."""

from functools import cache
from pathlib import Path

from hydra import compose, initialize_config_dir
from hypothesis import assume
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from hm3.command.folders import register
from hm3.composition.parts import Parts, check
from hm3.composition.plans import Offline, Online, sampler_of, search_stages, train_stages
from hm3.composition.searcher import agent_builder, built
from hm3.composition.tasks import prompts_of, task_folders
from hm3.objectives import Normaliser
from tests.hostile.cases import TEXTS, VALUES, hostile, refused_or_fine

CONF = Path(__file__).parents[2] / "conf"
SKIPPED = ("_target_", "_partial_", "hydra.")  # names of Python's classes: code, not input


def composed(*words):
    register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", list(words))


@cache
def whole():
    more = ("tasks.objectives.math.num_fewshot=2", "tasks.objectives.math.floor=0", "sources.experts.math.weight=1")
    return OmegaConf.to_container(composed("tracking.wandb=false", *(f"+{word}" for word in more)))


def leaves(value, prefix=""):
    """Every place in a configuration, sections too."""
    for name, inner in value.items():
        yield f"{prefix}{name}"
        if isinstance(inner, dict):
            yield from leaves(inner, f"{prefix}{name}.")


PLACES = st.deferred(lambda: st.sampled_from([key for key in leaves(whole()) if not key.endswith(SKIPPED[:2])]))


def look(config):
    """All that a training run looks at before it opens tasks and starts work."""
    check(config)
    parts = Parts.of(config, None)
    assert abs(sum(parts.preference.weights) - 1) < 1e-9
    Offline.of(config), Online.of(config)
    sampler = sampler_of(config.offline, parts.preference)
    names, offered = parts.preference.names, {"space": parts.space, "utility": parts.utility, "sampler": sampler}
    unit = Normaliser(names, (0.0,) * len(names), (1.0,) * len(names))
    assert built(agent_builder(config.agent), {**offered, "normaliser": unit, "rollouts": 1, "seed": config.seed})
    assert train_stages(config)[-1] == search_stages(config)[-1]
    assert prompts_of(config.tasks).shots.keys() <= {each.task for each in parts.objectives}
    assert all(folder.is_dir() for folder in task_folders(config.tasks))


@hostile(60, 1500, PLACES, VALUES)
def test_any_value_anywhere(place, value):
    with refused_or_fine():
        config = OmegaConf.create(whole())
        OmegaConf.set_struct(config, True)
        OmegaConf.update(config, place, value, merge=False)
        assert isinstance(config, DictConfig)
        look(config)


@hostile(40, 1000, PLACES, st.sampled_from(["", "+", "++", "~"]), TEXTS)
def test_any_word_on_the_command_line(place, sign, text):
    assume(not text.startswith("${"))
    with refused_or_fine():
        look(composed(f"{sign}{place}={text}" if sign != "~" else f"~{place}"))
