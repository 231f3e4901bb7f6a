"""The policy: masked actor and critic with a built-in leaning towards the natural order."""

from __future__ import annotations

from typing import Any

import torch
from sb3_contrib.common.maskable.distributions import MaskableDistribution
from sb3_contrib.common.maskable.policies import MaskableMultiInputActorCriticPolicy
from torch import Tensor

from agents.extractors import StackExtractor
from envs.episodes import Observation
from envs.space import Bools
from hm3.objectives import Array


class NaturalPolicy(MaskableMultiInputActorCriticPolicy):
    """Adds ``beta * natural prior`` to the logits, so that an untrained policy already writes runnable stacks.

    The prior enters where a distribution is made from the latent code, which rollout, update and prediction all
    share; so their log-probabilities agree. `beta` is a buffer: it is saved and loaded with the weights.

    Args:
        beta: Strength of the prior at first.
        *args: As in sb3-contrib.
        **kwargs: As in sb3-contrib; the extractor must be a `StackExtractor`.
    """

    beta: Tensor
    features_extractor: StackExtractor

    def __init__(self, *args: Any, beta: float = 2.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register_buffer("beta", torch.tensor(beta))

    def assess(self, observations: Observation, masks: Bools) -> tuple[Array, Array]:
        """Log-probabilities (M, actions) of legal actions, very negative elsewhere, and values (M,)."""
        self.set_training_mode(False)
        with torch.no_grad():
            tensors, _ = self.obs_to_tensor(observations)
            latent_pi, latent_vf = self.mlp_extractor(self.extract_features(tensors))
            distribution: Any = self._get_action_dist_from_latent(latent_pi)
            distribution.apply_masking(masks)
            values = self.value_net(latent_vf).squeeze(1)
        return distribution.distribution.logits.double().cpu().numpy(), values.double().cpu().numpy()

    def _get_action_dist_from_latent(self, latent_pi: Tensor) -> MaskableDistribution:
        logits = self.action_net(latent_pi) + self.beta * self.features_extractor.prior_rows
        return self.action_dist.proba_distribution(action_logits=logits)
