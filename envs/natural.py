"""The natural order: after a layer comes the next layer of the same source. Published optima stay close to it."""

from __future__ import annotations

import numpy as np

from envs.space import StackSpace
from hm3.objectives import Array


def natural_successors(space: StackSpace) -> Array:
    """(tokens, actions) 1 where an action is a natural successor of a token, else 0.

    After a layer: the next one of its source, *stop* after the last. After a host: layer 0 of that source. After
    nothing: any host where one is picked, otherwise layer 0 of any source.
    """
    table = np.zeros((space.tokens, space.actions))
    firsts = np.arange(space.sources) * space.layers
    hosts = space.stop + 1 + np.arange(space.sources)
    table[0, hosts if space.picks_host else firsts] = 1
    table[hosts, firsts] = 1
    for action in range(space.stop):
        source, layer = divmod(action, space.layers)
        is_last = layer + 1 >= space.pool.depths[source]
        table[1 + action, space.stop if is_last else action + 1] = 1
    return table


def natural_prior(space: StackSpace) -> Array:
    """(tokens, actions) logits of the natural order, to be multiplied by a strength beta.

    Scaled so that beta = 0 is uniform and beta = 2 gives the natural successors ``1 / (1 + exp(-2))`` = 0.88 against
    all other actions together, however large the pool is.
    """
    natural = natural_successors(space)
    last = (np.arange(space.stop)) % space.layers
    others = np.full(space.tokens, float(space.near[0].sum()))
    others[1 : 1 + space.stop] = 1 + space.near[last + 1].sum(axis=1)
    ratio = np.maximum(others / natural.sum(axis=1) - 1, 1)
    logits: Array = natural * (1 + np.log(ratio) / 2)[:, None]
    return logits
