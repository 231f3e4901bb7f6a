"""Learning rivals as their papers have them, on the project's space, seams and evaluator.

- `paper_hm3`: HM3 as its NeurIPS text has it. Its parts: `wolpertinger` (also a head for `agents.PPO`) with
  `wolpertinger_policy` and `points`; `seeded` with `rewritten` (the sources' own paths in every update).
- `model_merging_rl`: in the manner of Reinforced Model Merging.
- `per_preference`: what both have in common, one run with new networks for each preference.
"""

from agents.published.model_merging_rl import ModelMergingRL
from agents.published.paper_hm3 import PaperHM3
from agents.published.wolpertinger import Wolpertinger

__all__ = ["ModelMergingRL", "PaperHM3", "Wolpertinger"]
