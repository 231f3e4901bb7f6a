"""What the networks make of an observation: path, preference, host, length, exits where shown: one feature vector."""

from __future__ import annotations

import gymnasium as gym
import torch
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor, nn
from torch.nn import functional

from hm3.objectives import Array


class RecurrentPath(nn.Module):
    """A GRU over the embedded layers: a fifth slower than `FlatPath`, and learns more.

    Args:
        depth: Longest path.
        inner: Width of the embeddings.
        width: Width of the output.
    """

    def __init__(self, depth: int, inner: int, width: int) -> None:
        super().__init__()
        self.gru = nn.GRU(inner, width, batch_first=True)

    def forward(self, embedded: Tensor, length: Tensor) -> Tensor:
        """(B, width) state after the last layer, from embedded layers (B, depth, inner) and length (B,)."""
        states = self.prefixes(embedded[:, : max(1, int(length.max()))])
        return states[torch.arange(len(states)), length]

    def prefixes(self, embedded: Tensor) -> Tensor:
        """(B, 1 + depth, width) states after none, one, two … of embedded layers (B, depth, inner)."""
        states, _ = self.gru(embedded)
        return functional.pad(states, (0, 0, 1, 0))


class FlatPath(nn.Module):
    """One linear layer over all positions, and a view of the last layer.

    Args:
        depth: Longest path.
        inner: Width of the embeddings.
        width: Width of the output.
    """

    def __init__(self, depth: int, inner: int, width: int) -> None:
        super().__init__()
        self.places = nn.Linear(depth * inner, width)
        self.last = nn.Linear(inner, width)

    def forward(self, embedded: Tensor, length: Tensor) -> Tensor:
        """(B, width) from embedded layers (B, depth, inner), 0 where none is written, and length (B,)."""
        return self.prefixes(embedded)[torch.arange(len(embedded)), length]

    def prefixes(self, embedded: Tensor) -> Tensor:
        """(B, 1 + depth, width) views of none, one, two … of embedded layers (B, depth, inner)."""
        places = self.places.weight.view(-1, *embedded.shape[1:])
        sums = torch.einsum("bdi,wdi->bdw", embedded, places).cumsum(dim=1)
        seen = functional.pad(sums + functional.linear(embedded, self.last.weight), (0, 0, 1, 0))
        return torch.tanh(seen + self.places.bias + self.last.bias)


class StackExtractor(BaseFeaturesExtractor):
    """Embeds an observation; keeps the rows of the natural prior that belong to it.

    The prior lives here because both of SB3's paths, rollout and update, pass the observation through the extractor
    and then ask the policy for a distribution from the latent code alone. See `agents.policy`.

    Args:
        observation_space: As `StackSpace.observation_space` makes it.
        layers: Layers of the deepest source, L.
        prior: (tokens, actions) logits of the natural order.
        encoder: Class of the module that reads the embedded path.
        width: Width of the path's features.
    """

    prior: Tensor
    sources_of: Tensor
    layers_of: Tensor

    def __init__(
        self,
        observation_space: gym.spaces.Dict,
        layers: int,
        prior: Array,
        encoder: type[RecurrentPath] | type[FlatPath] = FlatPath,
        width: int = 64,
    ) -> None:
        objectives, depth, hosts, lengths = (_size(observation_space[key]) for key in _KEYS)
        self.shown = [key for key in ("exits",) if key in observation_space.spaces]
        exits = sum(_size(observation_space[key]) for key in self.shown)
        half = width // 2
        super().__init__(observation_space, 2 * width)
        self.stop = (hosts - 1) * layers
        self.source = nn.Embedding(hosts - 1, half)
        self.layer = nn.Embedding(layers, half)
        self.position = nn.Parameter(0.1 * torch.randn(depth, half))
        self.path = encoder(depth, half, width)
        self.path_width = width
        self.preference = nn.Linear(objectives, half)
        self.rest = nn.Linear(hosts + lengths + exits, width - half)
        self.register_buffer("prior", torch.as_tensor(prior, dtype=torch.float32))
        tokens = torch.arange(self.stop)
        self.register_buffer("sources_of", tokens // layers)
        self.register_buffer("layers_of", tokens % layers)
        self.prior_rows = self.prior[:0]

    def forward(self, observations: dict[str, Tensor]) -> Tensor:
        """(B, features_dim) features; SB3 has made hosts and lengths one-hot."""
        path = observations["path"].long()
        host, length = observations["host"].flatten(1), observations["length"].flatten(1)
        written = length.argmax(dim=1)
        self.prior_rows = self.leaning(path, host.argmax(dim=1), written)
        features = (
            self.path(self._embed(path), written),
            self.of_preference(observations["preference"]),
            self._of_rest(observations),
        )
        return torch.cat(features, dim=1)

    def of_preference(self, preferences: Tensor) -> Tensor:
        """(B, half) the part of the features that is made of preferences (B, K)."""
        return torch.tanh(self.preference(preferences))

    def of_states(self, observations: dict[str, Tensor], episodes: Tensor, ends: Tensor) -> Tensor:
        """The other parts, for all states of whole episodes at once: each path is read once, not once a state.

        Args:
            observations: Of B states, as in `forward`, without the preference.
            episodes: (B,) the episode of each state.
            ends: (E,) the last state of each episode, which shows its whole path.

        Returns:
            (B, features_dim - half): path, then the rest.
        """
        prefixes = self.path.prefixes(self._embed(observations["path"][ends].long()))
        at = episodes * prefixes.shape[1] + observations["length"].flatten(1).argmax(dim=1)
        return torch.cat([prefixes.flatten(0, 1).index_select(0, at), self._of_rest(observations)], dim=1)

    def leaning(self, path: Tensor, host: Tensor, length: Tensor) -> Tensor:
        """(B, actions) logits of the natural prior, from path (B, depth), host (B,) and length (B,)."""
        return self.prior[self._last_tokens(path, host, length)]

    def _of_rest(self, observations: dict[str, Tensor]) -> Tensor:
        rest = [observations[key].flatten(1) for key in ("host", "length", *self.shown)]
        return torch.tanh(self.rest(torch.cat(rest, dim=1)))

    def _embed(self, path: Tensor) -> Tensor:
        """(B, depth, inner) source, layer and position embeddings added up; 0 where nothing is written."""
        table = self.source(self.sources_of) + self.layer(self.layers_of)
        table = functional.pad(table, (0, 0, 1, 0))
        return functional.embedding(path, table) + self.position * (path > 0)[..., None]

    def _last_tokens(self, path: Tensor, host: Tensor, length: Tensor) -> Tensor:
        """(B,) what the episodes did last; `envs.episodes.last_tokens` in torch."""
        written = path.gather(1, (length - 1).clamp(min=0)[:, None]).squeeze(1)
        picked = torch.where(host > 0, self.stop + host, 0)
        return torch.where(length > 0, written, picked)


_KEYS = ("preference", "path", "host", "length")


def _size(space: gym.Space) -> int:  # type: ignore[type-arg]
    return int(space.n) if isinstance(space, gym.spaces.Discrete) else int((space.shape or (1,))[0])
