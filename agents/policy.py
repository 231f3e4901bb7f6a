"""The policy: masked actor and critic with a built-in leaning towards the natural order."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from sb3_contrib.common.maskable.distributions import MaskableDistribution
from sb3_contrib.common.maskable.policies import MaskableMultiInputActorCriticPolicy
from stable_baselines3.common.preprocessing import preprocess_obs
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own convention

from agents.acts import Acts
from agents.choice import ILLEGAL, choice, sample
from agents.extractors import StackExtractor
from agents.states import Batch, States
from envs.episodes import Episodes, Observation
from envs.space import Bools, Ints
from hm3.objectives import Array


class NaturalPolicy(MaskableMultiInputActorCriticPolicy):
    """Adds ``beta * natural prior`` to the logits, so that an untrained policy already writes runnable stacks.

    There are two ways through the same networks: SB3's, an observation at a time, and `judge`, whole episodes under
    many preferences at once. `beta` is a buffer: it is saved and loaded with the weights.

    Args:
        beta: Strength of the prior at first.
        *args: As in sb3-contrib.
        **kwargs: As in sb3-contrib; the extractor must be a `StackExtractor`, and the networks have one layer.
    """

    beta: Tensor
    features_extractor: StackExtractor

    def __init__(self, *args: Any, beta: float = 2.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.register_buffer("beta", torch.tensor(beta))

    def assess(self, observations: Observation, masks: Bools) -> tuple[Array, Array]:
        """Log-probabilities (M, actions) of legal actions, very negative elsewhere, and values (M,)."""
        with torch.no_grad():
            latent_pi, latent_vf, leaning = self._look(observations, masks)
            values = self.value_net(latent_vf).squeeze(1)
            log_probs = self._logits(latent_pi, leaning).log_softmax(dim=1)
        return log_probs.double().cpu().numpy(), values.double().cpu().numpy()

    def act(self, episodes: Episodes, rows: Ints, rng: np.random.Generator) -> Acts:
        """Choose what some episodes (M,) do next; it is not done yet."""
        observations, masks = episodes.observe(rows), episodes.masks(rows)
        log_probs, values = self.assess(observations, masks)
        actions = sample(log_probs, rng)
        return Acts(observations, masks, actions, actions, log_probs[np.arange(len(rows)), actions], values)

    def states(self, observations: Observation, masks: Bools, actions: NDArray[Any], episodes: Ints) -> States:
        """What was seen and done in whole episodes, ready for `judge`.

        Args:
            observations: Of B states; an episode's states are in order.
            masks: (B, actions) what was legal.
            actions: (B,) what was done; `Acts.meant` where an act was drawn.
            episodes: (B,) the episode of each state, from 0.
        """
        seen = self._tensors({key: values for key, values in observations.items() if key != "preference"})
        spaces = cast(Any, self.observation_space).spaces
        ready = {key: cast(Tensor, preprocess_obs(values, spaces[key])) for key, values in seen.items()}
        prior = self.features_extractor.leaning(seen["path"], seen["host"], seen["length"])
        ends = torch.zeros(int(episodes.max()) + 1, dtype=torch.long)
        ends[torch.from_numpy(episodes)] = torch.arange(len(episodes))  # the last one stays
        done, owners = (torch.as_tensor(column, device=self.device) for column in (actions, episodes))
        return States(ready, self._masked(prior, masks), done, owners, ends.to(self.device))

    def judge(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Values, log-probabilities and entropies (M,) of the actions of a batch.

        What depends on the state only, or on the preference only, is computed once for each: the first layer of the
        networks is linear in both, so their parts are added up only then.
        """
        states, rows = batch.states, batch.rows
        latent_pi, latent_vf = self._latents(batch).chunk(2, dim=1)
        log_probs, entropies = self._judged(latent_pi, states.leaning.index_select(0, rows), states.actions[rows])
        return self.value_net(latent_vf).flatten(), log_probs, entropies

    def evaluate_actions(
        self, obs: Any, actions: Tensor, action_masks: Any = None
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """As in sb3-contrib; where the observations are a `Batch`, which has actions and masks, by `judge`."""
        return self.judge(obs) if isinstance(obs, Batch) else super().evaluate_actions(obs, actions, action_masks)

    def _logits(self, latent: Tensor, leaning: Tensor) -> Tensor:
        """(M, actions) of the actor's hidden units and the prior's logits."""
        logits: Tensor = self.action_net(latent) + leaning
        return logits

    def _judged(self, latent: Tensor, leaning: Tensor, meant: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities and entropies (M,) of what was meant."""
        return choice(self._logits(latent, leaning), meant)

    def _look(self, observations: Observation, masks: Bools) -> tuple[Tensor, Tensor, Tensor]:
        """The actor's and the critic's hidden units, and the prior's logits, very negative where masked."""
        latent_pi, latent_vf = self.mlp_extractor(self.extract_features(self._tensors(observations)))
        return latent_pi, latent_vf, self._masked(self.features_extractor.prior_rows, masks)

    def _latents(self, batch: Batch) -> Tensor:
        """(M, 2 * width) the actor's and the critic's hidden units, side by side."""
        states, extractor = batch.states, self.features_extractor
        first: Any = (self.mlp_extractor.policy_net[0], self.mlp_extractor.value_net[0])
        weight, bias = torch.cat([part.weight for part in first]), torch.cat([part.bias for part in first])
        widths = [extractor.path_width, extractor.preference.out_features, extractor.rest.out_features]
        of_path, of_preference, of_rest = torch.split(weight, widths, dim=1)
        seen = extractor.of_states(states.observations, states.episodes, states.ends)
        by_state = F.linear(seen, torch.cat([of_path, of_rest], dim=1), bias)
        by_preference = F.linear(extractor.of_preference(batch.preferences), of_preference)
        return torch.tanh(by_state.index_select(0, batch.rows) + by_preference.index_select(0, batch.owners))

    def _masked(self, prior: Tensor, masks: Bools) -> Tensor:
        return torch.where(torch.as_tensor(masks, device=self.device), self.beta * prior, ILLEGAL)

    def _tensors(self, observations: Observation) -> dict[str, Tensor]:
        return {key: torch.as_tensor(values, device=self.device) for key, values in observations.items()}

    def _get_action_dist_from_latent(self, latent_pi: Tensor) -> MaskableDistribution:
        logits = self._logits(latent_pi, self.beta * self.features_extractor.prior_rows)
        return self.action_dist.proba_distribution(action_logits=logits)
