"""The policy of the head `Wolpertinger`: a Gaussian over points, and the critic's choice among the nearest."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.acts import Acts
from agents.choice import ILLEGAL
from agents.policy import NaturalPolicy
from agents.published.points import nearest
from agents.states import States
from envs.episodes import Episodes, Observation
from envs.space import Bools, Ints
from hm3.objectives import Array


class WolpertingerPolicy(NaturalPolicy):
    """A diagonal Gaussian over points.

    Among the legal actions nearest to the proto-action the one with the largest ``r + gamma * V(next state)`` is taken.
    As r is known at the end only it is left out, and gamma with it: neither changes the order. *Stop*, after which the
    same stack stands, is judged by the value of what stands. Only legal actions are neighbours: the paper masks
    nothing, since in its space everything is legal. PPO's ratio is that of the proto-action's density, not of the
    action done; the paper leaves it open. Where one action alone is legal nothing is chosen: its probability is 1.

    The natural prior, where beta is above 0, shifts the mean to the natural successor's point.

    Beam search, sampled proposals and SB3's own `predict` have no proto-action: they take each action's density as its
    weight.

    Args:
        observation_space: As in SB3.
        action_space: As in SB3.
        lr_schedule: As in SB3.
        points: (actions, D) where the actions lie.
        neighbours: As in `Wolpertinger`.
        epsilon: As in `Wolpertinger`.
        log_std: As in `Wolpertinger`.
        **kwargs: As in `NaturalPolicy`.
    """

    points: Tensor

    def __init__(
        self,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        lr_schedule: Any,
        *,
        points: Array,
        neighbours: int,
        epsilon: float,
        log_std: float,
        **kwargs: Any,
    ) -> None:
        super().__init__(observation_space, action_space, lr_schedule, **kwargs)
        self._neighbours, self._epsilon = neighbours, epsilon
        self.register_buffer("points", torch.as_tensor(points, dtype=torch.float32))
        self.action_net = nn.Linear(self.mlp_extractor.latent_dim_pi, points.shape[1])
        self.action_net.apply(partial(self.init_weights, gain=0.01))  # as SB3 does with an actor's last layer
        self.log_std = nn.Parameter(torch.full((points.shape[1],), log_std))
        optimizer: Any = self.optimizer_class  # any of torch's; their base class knows no rate
        self.optimizer = optimizer(self.parameters(), lr=lr_schedule(1), **self.optimizer_kwargs)

    def act(self, episodes: Episodes, rows: Ints, rng: np.random.Generator) -> Acts:
        """Draw a proto-action for some episodes (M,) and choose among its neighbours; `meant` is the proto-action."""
        observations, masks = episodes.observe(rows), episodes.masks(rows)
        noise = rng.normal(size=(len(rows), self.points.shape[1]))
        protos, log_probs, values = self._drawn(observations, masks, noise)
        near, exist = nearest(protos, self.points.cpu().numpy(), masks, self._neighbours)
        actions = near[np.arange(len(rows)), self._picked(self._ahead(episodes, rows, near), exist, rng)]
        return Acts(observations, masks, actions, protos, log_probs, values)

    def states(self, observations: Observation, masks: Bools, actions: NDArray[Any], episodes: Ints) -> States:
        """As in `NaturalPolicy`; actions (B,) stand for their points, as if these had been the proto-actions."""
        meant = actions if actions.ndim > 1 else self.points.cpu().numpy()[actions]
        return super().states(observations, masks, meant, episodes)

    def _drawn(self, observations: Observation, masks: Bools, noise: Array) -> tuple[NDArray[Any], Array, Array]:
        """The proto-actions (M, D) that noise (M, D) makes, their log-densities (M,), and the states' values (M,)."""
        with torch.no_grad():
            latent_pi, latent_vf, leaning = self._look(observations, masks)
            away = torch.as_tensor(noise, dtype=torch.float32, device=self.device) * self.log_std.exp()
            protos = self._mean(latent_pi, leaning) + away
            log_probs, _ = self._judged(latent_pi, leaning, protos)
            values = self.value_net(latent_vf).squeeze(1)
        return protos.cpu().numpy(), log_probs.double().cpu().numpy(), values.double().cpu().numpy()

    def _ahead(self, episodes: Episodes, rows: Ints, actions: Ints) -> Array:
        """(M, k) what the critic expects after each of some actions (M, k)."""
        following = episodes.take(np.repeat(rows, actions.shape[1]))
        following.step(actions.ravel())
        return self.assess(following.observe(), following.masks())[1].reshape(actions.shape)

    def _picked(self, worth: Array, exist: Bools, rng: np.random.Generator) -> Ints:
        """(M,) the place of the best of k neighbours (M, k), or by chance of any of them that exists."""
        blind = rng.integers(exist.sum(axis=1))  # those that exist come first
        picked: Ints = np.where(rng.random(len(worth)) < self._epsilon, blind, worth.argmax(axis=1))
        return picked

    def _mean(self, latent: Tensor, leaning: Tensor) -> Tensor:
        """(M, D) the Gaussian's mean: what the network says, from the natural successors' middle on."""
        natural = leaning.clamp(min=0)
        middle = natural @ self.points / natural.sum(dim=1, keepdim=True).clamp(min=1e-6)
        mean: Tensor = self.action_net(latent) + middle
        return mean

    def _logits(self, latent: Tensor, leaning: Tensor) -> Tensor:
        """(M, actions) the log-density of each action's point, up to a constant."""
        away = (self.points - self._mean(latent, leaning)[:, None]) / self.log_std.exp()
        return leaning.clamp(max=0) - (away**2).sum(dim=2) / 2

    def _judged(self, latent: Tensor, leaning: Tensor, meant: Tensor) -> tuple[Tensor, Tensor]:
        """Log-densities and entropies (M,) of proto-actions (M, D)."""
        away = (meant - self._mean(latent, leaning)) / self.log_std.exp()
        open_ = (leaning > ILLEGAL / 2).sum(dim=1) > 1
        spread = (self.log_std + math.log(2 * math.pi) / 2).expand_as(away)
        return open_ * -(away**2 / 2 + spread).sum(dim=1), open_ * (spread + 0.5).sum(dim=1)
