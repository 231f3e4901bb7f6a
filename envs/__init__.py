"""The environment: episodes that write stacks of layers. Gymnasium and NumPy only; it knows no weights.

- `pool`, `rules`: which layers exist, and what makes a path legal.
- `space`, `lookahead`, `natural`: numbering and legality; whether a path can still be finished; the natural order.
- `exits`: what observations say about a stack that is still being written, where that is switched on.
- `episodes`: many episodes at once, in arrays; everything else wraps it.
- `stack_env`, `vector_reward`: one episode as a Gymnasium environment (``hm3/Stack-v0``); the reward as a vector.
- `preferences`: where the preferences of episodes come from.
- `table`: a small world without models.
"""

import gymnasium

from envs.episodes import Episodes, Observation
from envs.exits import Exits
from envs.natural import natural_prior, natural_successors
from envs.pool import Conditioned, Pool
from envs.preferences import Around, Dirichlet, Holdout, PreferenceSampler
from envs.rules import PathRules
from envs.space import StackSpace
from envs.stack_env import StackEnv
from envs.table import TableEvaluator, table_pool, table_space
from envs.vector_reward import VectorReward

__all__ = [
    "Around",
    "Conditioned",
    "Dirichlet",
    "Episodes",
    "Exits",
    "Holdout",
    "Observation",
    "PathRules",
    "Pool",
    "PreferenceSampler",
    "StackEnv",
    "StackSpace",
    "TableEvaluator",
    "VectorReward",
    "natural_prior",
    "natural_successors",
    "table_pool",
    "table_space",
]

if "hm3/Stack-v0" not in gymnasium.registry:  # a reload would warn
    gymnasium.register(id="hm3/Stack-v0", entry_point="envs.stack_env:StackEnv")
