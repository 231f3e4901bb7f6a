"""The policy on preferences that were kept out of its training, against random search with as many evaluations.

For every seed a policy is trained with a ball around each of the unseen preferences kept out. Then, for each of them,
policy and random search (drawing from the natural prior) propose the same number of stacks; each side's best on the
search split is judged on the test split.

    python -m scripts.unseen_preferences --seeds 5
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig
from rich import box
from rich.console import Console
from rich.table import Table

from agents import PPO, RandomSearch
from hm3.composition import Composition, Start, composed, sampler_of, train_stages
from hm3.judged import Judged
from hm3.objectives import Array
from hm3.recipe import Recipe

CONF = Path(__file__).resolve().parents[1] / "conf"


@dataclass(frozen=True, slots=True)
class SeedResult:
    """Test utilities under the unseen preferences (P,), of one seed.

    Attributes:
        policy: Of the policy's best stack.
        random: Of random search's best stack.
        sources: Of the best source.
        evaluations: Of the training.
    """

    policy: Array
    random: Array
    sources: Array
    evaluations: int


def main() -> None:
    """Measure, print a table, and print one JSON object as the last line."""
    arguments = _arguments()
    unseen = np.random.default_rng(12345).dirichlet(np.ones(3), size=arguments.preferences)
    results = [_of_seed(seed, unseen, arguments) for seed in range(arguments.seeds)]
    _show(results, arguments.proposals)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--preferences", type=int, default=10, help="unseen preferences")
    parser.add_argument("--proposals", type=int, default=16, help="evaluations for each preference and side")
    parser.add_argument("overrides", nargs="*", help="settings of hm3.train, key=value")
    return parser.parse_args()


def _of_seed(seed: int, unseen: Array, arguments: argparse.Namespace) -> SeedResult:
    config = _config([f"seed={seed}", f"offline.kept_out={unseen.tolist()}", *arguments.overrides])
    with (
        tempfile.TemporaryDirectory() as folder,
        composed(config, Start.fresh(config, Path(folder)), None, train_stages(config)) as run,
    ):
        return _measured(run.merge(), config, unseen, arguments.proposals)


def _config(overrides: Sequence[str]) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("train", [*overrides, "offline.user_share=0", "tracking.wandb=false", "rivals=0"])


def _measured(run: Composition, config: DictConfig, unseen: Array, proposals: int) -> SeedResult:
    session = run.session
    screened, searched = session.sources_on_screen(), session.sources_on_search()
    sampler = sampler_of(config.offline, session.preference)
    policy: PPO = run.searcher(config.agent, sampler, config.offline.rollouts, screened.normaliser)
    plan = config.offline
    session.offline(policy, screened, run.spending(), rollouts=plan.rollouts, episodes=plan.episodes)
    evaluations = session.evaluations
    random, rng = RandomSearch(run.space, sampler, seed=session.seed), np.random.default_rng(session.seed)
    sides: dict[str, list[float]] = {"policy": [], "random": [], "sources": []}
    for weights in unseen:
        offers = {
            "policy": policy.propose(weights[None], proposals, greedy=True, rng=rng),
            "random": random.ask(proposals),
            "sources": list(session.identities),
        }
        for side, recipes in offers.items():
            sides[side].append(_best(run, recipes, weights, searched))
    means = {side: np.array(utilities) for side, utilities in sides.items()}
    return SeedResult(means["policy"], means["random"], means["sources"], evaluations)


def _best(run: Composition, recipes: Sequence[Recipe], weights: Array, searched: Judged) -> float:
    """Test utility of the recipe that is best on the search split."""
    session, normaliser = run.session, searched.normaliser

    def utilities(scores: Sequence[Sequence[float]]) -> Array:
        result: Array = session.utility(normaliser(scores), weights)
        return result

    search = utilities([scores.values for scores in session.bench.search(recipes)])
    chosen = recipes[int(search.argmax())]
    return float(utilities([scores.values for scores in session.bench.test([chosen])])[0])


def _show(results: Sequence[SeedResult], proposals: int) -> None:
    table = Table(box=box.SIMPLE_HEAD, title=f"mean test utility over unseen preferences, {proposals} proposals each")
    for column in ("seed", "policy", "random search", "best source", "policy - random", "training evaluations"):
        table.add_column(column, justify="right")
    for seed, result in enumerate(results):
        gain = float((result.policy - result.random).mean())
        means = [f"{part.mean():+.4f}" for part in (result.policy, result.random, result.sources)]
        table.add_row(str(seed), *means, f"{gain:+.4f}", str(result.evaluations))
    console = Console()
    console.print(table)
    gains = np.array([float((result.policy - result.random).mean()) for result in results])
    margin = _t95(len(gains)) * gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else float("nan")
    summary = {
        "policy": [round(float(result.policy.mean()), 5) for result in results],
        "random": [round(float(result.random.mean()), 5) for result in results],
        "gain": [round(float(value), 5) for value in (gains.mean(), gains.mean() - margin, gains.mean() + margin)],
        "seeds": len(results),
        "proposals": proposals,
        "preferences": len(results[0].policy),
        "evaluations": [result.evaluations for result in results],
    }
    print(json.dumps(summary))


def _t95(count: int) -> float:
    """Student's t for a two-sided 95 % interval of a mean of `count` values."""
    from scipy.stats import t

    return float(t.ppf(0.975, count - 1))


if __name__ == "__main__":
    main()
