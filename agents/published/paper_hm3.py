"""HM3 as its NeurIPS 2025 text has it (arXiv 2409.18893; OpenReview JeP0lpusYw)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents.credit import Spread
from agents.extractors import RecurrentPath
from agents.memory import writable
from agents.ppo import PPO
from agents.published.per_preference import PerPreference
from agents.published.seeded import SeededPPO
from agents.published.wolpertinger import Wolpertinger
from envs.preferences import PreferenceSampler
from envs.space import StackSpace
from hm3.checks import flag, number, whole
from hm3.objectives import Candidate, Linear, Normaliser, Scores, Utility
from hm3.recipe import Recipe
from hm3.sealed import sealed, unsealed

_FILE = "sources.json"
PAPER_HM3: Mapping[str, Any] = {
    "gamma": 0.99,  # the one number that the paper gives
    "gae_lambda": 0.95,
    "learning_rate": (3e-4, 3e-4),
    "clip": 0.2,
    "epochs": 10,
    "entropy": 0.0,
    "batch_size": 64,
    "width": 64,
    "encoder": RecurrentPath,
    "credit": Spread(),
    "head": Wolpertinger(),
    "beta": (0.0, 0.0),
    "relabels": 0,
    "imitation": 0,
}
"""Settings of `PPO`; where the paper is silent, those of stable-baselines3."""


class PaperHM3(PerPreference):
    """Wolpertinger over (source, layer) pairs, reward spread over the path, networks restarted for each preference.

    As published: the reward is the weighted sum of the scores, though the stated problem is Tchebycheff; the state is
    the whole path, read by a GRU; the sources' own paths are judged first and are in every update (appendix B.3);
    updates begin after the first part of a run.

    Where the text is silent or contradicts itself:

    - Its lattice of preferences is drawn from a Dirichlet distribution; here it is even, as for other rivals.
    - It has no *stop* and no lengths: each path has `length` layers, so that its cost of length is a constant. What is
      illegal in the space is no neighbour; see `WolpertingerPolicy`, also for PPO's ratio. The forced *stop* brings the
      evaluation and is one of the steps over which the reward is spread; so is the choice of a host, if there is one.
    - The encoder of layer weights is left out: pairs name the layers. So is the alignment network: the space's seams
      are every rival's.
    - Merged sources come with the pool.

    Args:
        space: What may be stacked.
        normaliser: Brings scores to units in which 1 is the best source.
        utility: What a preference makes of normalised scores; not used with `weighted_sum`.
        sampler: Says how many objectives there are.
        seed: Of everything.
        evaluations: As of `PerPreference`; the paper takes 1,000 for each preference.
        divisions: As of `PerPreference`; 4 make the 15 preferences of three objectives that its figures show.
        length: Layers of every path; None takes as many as a source has, or the nearest number that is allowed.
        warm_up: Share of a run before its first update; the paper's learning curve suggests 200 episodes of 1,000.
        weighted_sum: Whether the reward is the paper's; otherwise it is `utility`.
        **settings: Of `PPO`, in place of `PAPER_HM3`.
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
        length: int | None = None,
        warm_up: float = 0.2,
        weighted_sum: bool = True,
        **settings: Any,
    ) -> None:
        number("agent.warm_up", warm_up, 0, 1)
        own_space = of_length(space, length)
        reward = Linear() if flag("agent.weighted_sum", weighted_sum) else utility
        self._known: dict[Recipe, Scores] = {}

        def build(own: PreferenceSampler, own_seed: int, share: int) -> PPO:
            own_settings = {**PAPER_HM3, **settings, "known": self._known, "warm_up": int(warm_up * share)}
            return SeededPPO(own_space, normaliser, reward, own, seed=own_seed, **own_settings)

        objectives = sampler.objectives
        super().__init__(build, objectives=objectives, divisions=divisions, evaluations=evaluations, seed=seed)
        self._sources = [recipe for recipe in space.pool.identities() if _is_seed(space, recipe)]

    def ask(self, count: int) -> list[Recipe]:
        """The sources that nobody has judged, then as `PerPreference`; they count towards the budget."""
        seeds = [recipe for recipe in self._sources if recipe not in self._known][:count]
        self._asked += len(seeds)
        return [*seeds, *super().ask(count - len(seeds))]

    def tell(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Learn from what was asked."""
        self.remember(recipes, scores)
        super().tell(recipes, scores)

    def remember(self, recipes: Sequence[Recipe], scores: Sequence[Scores]) -> None:
        """Take note of the sources' scores, if they are among these."""
        judged = dict(zip(recipes, scores, strict=True))
        self._known.update({one: judged[one] for one in self._sources if one in judged})

    def save(self, folder: Path) -> None:
        """Write as `PerPreference`, and the sources' scores."""
        super().save(folder)
        known = [Candidate(recipe, scores).to_json() for recipe, scores in self._known.items()]
        (folder / _FILE).write_text(sealed(known), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        """Go on from a saved state."""
        known = map(Candidate.from_json, unsealed(folder / _FILE))
        self._known.clear()
        self._known.update({one.recipe: one.scores for one in known})
        super().restore(folder)


def of_length(space: StackSpace, length: int | None) -> StackSpace:
    """The stacks of a space that have so many layers; None takes a source's depth, or the nearest that is allowed.

    Raises:
        ConfigurationError: The space has none of that length.
    """
    low, high = space.rules.min_depth, space.rules.max_depth
    depth = min(max(space.layers, low), high) if length is None else whole("agent.length", length, low, high)
    return replace(space, rules=replace(space.rules, min_depth=depth, max_depth=depth))


def _is_seed(space: StackSpace, recipe: Recipe) -> bool:
    """Whether a source itself is a stack of the space and the same for every preference."""
    return writable(space, recipe) and space.conditioned_of(recipe) is None
