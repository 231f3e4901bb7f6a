"""Many episodes at once, in arrays: the core that every environment and every agent steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.space import Bools, Ints, StackSpace
from hm3.objectives import Array
from hm3.recipe import Recipe, Source

Observation = dict[str, NDArray[np.generic]]


class Episodes:
    """`count` simultaneous episodes, each of which writes one path.

    An episode first picks a host (where the rules say ``searched``), then writes layers, then stops. Methods take
    `rows`, the episodes that are meant (all by default), and return one entry for each of them, always copies.

    Args:
        space: What is legal and how it is numbered.
        count: Number of episodes, N.
    """

    def __init__(self, space: StackSpace, count: int) -> None:
        self.space = space
        self.count = count
        # The next index by the natural order says which layers are near; one row more for "no layer at all".
        self._near = np.vstack([space.near, np.zeros(space.stop, dtype=bool)])
        self._closed = space.layers + 1
        self._tight = space.lookahead.needed
        self._counted = space.rules.max_repeats < space.rules.max_depth
        self.reset(np.zeros((count, 0)))

    def reset(self, preferences: Array, rows: Ints | None = None) -> None:
        """Start anew.

        Args:
            preferences: (M, K) preference of each episode that starts.
            rows: (M,) the episodes that start; all if None.
        """
        if rows is None:
            rows = np.arange(self.count)
            self.preferences = np.zeros((self.count, preferences.shape[1]))
            self.path = np.zeros((self.count, self.space.rules.max_depth), dtype=np.int64)
            self.uses = np.zeros((self.count, self.space.stop), dtype=np.int16)
            self.length, self.host, self._expected = (np.zeros(self.count, dtype=np.int64) for _ in range(3))
            self.done, self._choosing = (np.zeros(self.count, dtype=bool) for _ in range(2))
        self.preferences[rows] = preferences
        self.path[rows], self.uses[rows], self.length[rows], self.done[rows] = 0, 0, 0, False
        self.host[rows] = self.space.fixed_host
        self._choosing[rows] = self.space.picks_host
        self._expected[rows] = self._closed if self.space.picks_host else 0

    @property
    def running(self) -> Ints:
        """(M,) the episodes that have not ended."""
        return np.flatnonzero(~self.done)

    def observe(self, rows: Ints | None = None) -> Observation:
        """What agents see: preference (M, K), path (M, max_depth), host (M,), length (M,), and exits where shown."""
        at = slice(None) if rows is None else rows
        shown: Observation = {} if self.space.exits is None else {"exits": self.space.exits(self._so_far(rows))}
        return {
            "preference": self.preferences[at].astype(np.float32),
            "path": self.path[at].copy(),
            "host": self.host[at].copy(),
            "length": self.length[at].copy(),
            **shown,
        }

    def masks(self, rows: Ints | None = None) -> Bools:
        """(M, actions) what is legal; never empty, since an episode that has ended may stop again."""
        at = slice(None) if rows is None else rows
        stop, rules = self.space.stop, self.space.rules
        masks = np.empty((self.count if rows is None else len(rows), self.space.actions), dtype=bool)
        masks[:, :stop] = self._near[self._expected[at]]
        if self._counted:
            masks[:, :stop] &= self.uses[at] < rules.max_repeats
        if self._tight:
            masks[:, :stop] &= self._lookahead(np.arange(self.count)[at])
        masks[:, stop] = (self.length[at] >= rules.min_depth) | self.done[at]
        masks[:, stop + 1 :] = self._choosing[at][:, None]
        return masks

    def step(self, actions: Ints, rows: Ints | None = None) -> None:
        """Take one legal action (M,) in each episode; those that have ended stay as they are."""
        rows = np.arange(self.count) if rows is None else rows
        live = ~self.done[rows]
        layer, ends = live & (actions < self.space.stop), live & (actions == self.space.stop)
        self._write(rows[layer], actions[layer])
        self._finish(rows[ends])
        if self.space.picks_host:
            picks = live & (actions > self.space.stop)
            self._pick(rows[picks], actions[picks] - self.space.stop)

    def recipes(self, rows: Ints | None = None) -> list[Recipe]:
        """The recipes of episodes that have ended."""
        rows = np.arange(self.count) if rows is None else rows
        assert self.done[rows].all(), "a recipe belongs to a whole episode"
        return self._recipes(rows)

    def take(self, rows: Ints) -> Episodes:
        """New episodes that continue where these are; a row may be taken more than once."""
        taken = Episodes(self.space, len(rows))
        for name in ("preferences", "path", "uses", "length", "host", "done", "_choosing", "_expected"):
            setattr(taken, name, getattr(self, name)[rows])
        return taken

    def tokens(self, rows: Ints | None = None) -> Ints:
        """(M,) the token of what each episode did last."""
        at = slice(None) if rows is None else rows
        return last_tokens(self.space.stop, self.path[at], self.length[at], self.host[at])

    def _so_far(self, rows: Ints | None) -> list[Recipe | None]:
        """(M,) what each episode has written, as a stack; None before the first layer."""
        rows = np.arange(self.count) if rows is None else rows
        begun = self.length[rows] > 0
        written = iter(self._recipes(rows[begun]))
        return [next(written) if one else None for one in begun.tolist()]

    def _recipes(self, rows: Ints) -> list[Recipe]:
        paths, lengths, hosts = self.path[rows] - 1, self.length[rows].tolist(), self.host[rows].tolist()
        return [
            self.space.recipe(path[:length], host, conditioned)
            for path, length, host, conditioned in zip(
                paths.tolist(), lengths, hosts, self._conditioned(rows), strict=True
            )
        ]

    def _conditioned(self, rows: Ints) -> list[Source | None]:
        """(M,) the source that follows each episode's preference, where the episode uses it."""
        number = self.space.follower
        if number is None:
            return [None] * len(rows)
        layers = self.uses[rows, number * self.space.layers : (number + 1) * self.space.layers]
        used = layers.any(axis=1) | (self.host[rows] == 1 + number)
        return [
            self.space.pool.conditioned_on(weights) if one else None
            for weights, one in zip(self.preferences[rows].tolist(), used.tolist(), strict=True)
        ]

    def _write(self, rows: Ints, layers: Ints) -> None:
        length = self.length[rows]
        self.path[rows, length] = layers + 1
        self.uses[rows, layers] += 1
        self.length[rows] = length + 1
        full = length + 1 == self.space.rules.max_depth
        self._expected[rows] = np.where(full, self._closed, layers % self.space.layers + 1)

    def _finish(self, rows: Ints) -> None:
        assert (self.length[rows] >= self.space.rules.min_depth).all(), "stop is legal from the least depth on"
        self.done[rows] = True
        self._expected[rows] = self._closed

    def _pick(self, rows: Ints, hosts: Ints) -> None:
        self.host[rows] = hosts
        self._choosing[rows] = False
        self._expected[rows] = 0

    def _lookahead(self, rows: Ints) -> Bools:
        """(M, S * L) which layers leave a way to the least depth; only where that is not reached yet."""
        fine = np.ones((len(rows), self.space.stop), dtype=bool)
        short = (self.length[rows] < self.space.rules.min_depth) & ~self._choosing[rows]
        rows = rows[short]
        shape = (len(rows), self.space.sources, self.space.layers)
        remaining = self.space.capacity - self.uses[rows].reshape(shape).sum(axis=1)
        fine[short] = np.tile(self.space.lookahead.after(remaining, self._expected[rows] - 1), self.space.sources)
        return fine


def last_tokens(stop: int, path: Ints, length: Ints, host: Ints) -> Ints:
    """(N,) the token of what episodes did last, from the path (N, max_depth), length (N,) and host (N,) they show."""
    written = path[np.arange(len(path)), np.maximum(length - 1, 0)]
    picked = np.where(host > 0, stop + host, 0)
    tokens: Ints = np.where(length > 0, written, picked)
    return tokens
