"""sb3-contrib's MaskablePPO over a stack space, without an environment: rollouts come from elsewhere."""

from __future__ import annotations

from sb3_contrib import MaskablePPO
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.utils import LinearSchedule

from agents.extractors import FlatPath, RecurrentPath, StackExtractor
from agents.heads import Head
from envs.natural import natural_prior
from envs.space import StackSpace


def build_model(
    space: StackSpace,
    objectives: int,
    *,
    seed: int,
    gamma: float,
    gae_lambda: float,
    learning_rate: tuple[float, float],
    beta: float,
    entropy: float,
    clip: float,
    epochs: int,
    encoder: type[RecurrentPath] | type[FlatPath],
    width: int,
    device: str,
    head: Head,
) -> MaskablePPO:
    """The model whose `train` makes the update and whose `save` writes the file; arguments as of `agents.ppo.PPO`."""
    extractor = {"layers": space.layers, "prior": natural_prior(space), "encoder": encoder, "width": width}
    model = MaskablePPO(
        head.policy,
        None,  # type: ignore[arg-type]
        learning_rate=LinearSchedule(*learning_rate, end_fraction=1.0),
        n_steps=1,
        n_epochs=epochs,
        gamma=gamma,
        gae_lambda=gae_lambda,
        clip_range=clip,
        ent_coef=entropy,
        policy_kwargs={
            "beta": beta,
            "net_arch": [width],
            "optimizer_kwargs": {"eps": 1e-5, "fused": True},
            "features_extractor_class": StackExtractor,
            "features_extractor_kwargs": extractor,
            **head.settings(space),
        },
        seed=seed,
        device=device,
        _init_setup_model=False,
    )
    # What the constructor would have read off an environment; SB3's own `load` does the same.
    model.observation_space, model.action_space = space.observation_space(objectives), space.action_space()
    model.n_envs = 1
    model._setup_model()
    model.set_logger(Logger(None, []))  # `configure` would make a folder in the temporary one, for every model
    return model
