"""A rival in the manner of Reinforced Model Merging (arXiv 2503.21272)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents.extractors import FlatPath
from agents.ppo import PPO
from agents.published.per_preference import PerPreference
from envs.preferences import PreferenceSampler
from envs.space import StackSpace
from hm3.objectives import Normaliser, Utility

MODEL_MERGING_RL: Mapping[str, Any] = {
    "gamma": 0.99,
    "gae_lambda": 1.0,  # Monte-Carlo returns
    "learning_rate": (3e-4, 3e-4),  # the actor's; the critic's 1e-3 would need an optimiser of its own
    "clip": 0.2,
    "epochs": 40,
    "entropy": 1e-4,
    "relabels": 0,
    "imitation": 0,
    "encoder": FlatPath,  # with the policy's layer: two of 64 tanh units
    "width": 64,
    "beta": (2.0, 2.0),
}
"""What the authors' code sets, in the names of `PPO`; `beta` is ours, in place of their cursor."""


class ModelMergingRL(PerPreference):
    """Discrete PPO that is paid at the end, knows no preference, and is trained anew for each one.

    Its moves are the space's: theirs (take a model's block at a cursor, skip, go back) lean towards the natural order
    by construction, here the natural prior does; going back too far, which they fine and which ends the episode, is
    masked. The authors update every 4 episodes, this after every `tell`. Their reward is the mean accuracy, ours the
    utility; their early rewards from a part of the data belong to the evaluator and are left out.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What a preference makes of normalised scores.
        sampler: Says how many objectives there are.
        seed: Of everything.
        evaluations: As of `PerPreference`.
        divisions: As of `PerPreference`.
        **settings: Of `PPO`, in place of `MODEL_MERGING_RL`.
    """

    def __init__(
        self,
        space: StackSpace,
        normaliser: Normaliser,
        utility: Utility,
        sampler: PreferenceSampler,
        *,
        seed: int = 0,
        evaluations: int = 4000,
        divisions: int = 4,
        **settings: Any,
    ) -> None:
        def build(own: PreferenceSampler, own_seed: int, share: int) -> PPO:
            return PPO(space, normaliser, utility, own, seed=own_seed, **{**MODEL_MERGING_RL, **settings})

        objectives = sampler.objectives
        super().__init__(build, objectives=objectives, divisions=divisions, evaluations=evaluations, seed=seed)
