"""Who proposes stacks. Everything that searches asks and is told; it never evaluates. The only folder that knows SB3.

- `searcher`: the interface.
- `ppo`: the default agent. Its parts: `model` (of sb3-contrib), `policy`, `extractors`, `heads`, `acts`, `choice`;
  `rollout`, `states`, `relabel`, `credit`, `advantages`, `buffer` (from episodes to an update); `imitation` with
  `memory` (`kept`, `followed`); `proposals` (what it proposes once it is trained).
- `surrogate_ppo`: PPO that has those stacks judged that promise most, by the processes in `surrogate`.
- `carry_over`: networks for other sources or objectives.
- `random_search`, `local_search` (with `moves`): rivals on the same space; more of them in `rivals` (evolution, CMA-ES,
  Bayesian search) and `published` (learning ones as papers have them).
- `merge_settings`: who proposes merges of whole models.
- `vec_env`: the environment as SB3's VecEnv.
- `generators`: the states of random generators.
"""

from agents.credit import Credit, Potential, Spread, Terminal
from agents.extractors import FlatPath, RecurrentPath
from agents.local_search import LocalSearch
from agents.ppo import PPO
from agents.random_search import RandomSearch
from agents.searcher import Searcher
from agents.surrogate_ppo import SurrogatePPO
from agents.vec_env import StackVecEnv

__all__ = [
    "PPO",
    "Credit",
    "FlatPath",
    "LocalSearch",
    "Potential",
    "RandomSearch",
    "RecurrentPath",
    "Searcher",
    "Spread",
    "StackVecEnv",
    "SurrogatePPO",
    "Terminal",
]
