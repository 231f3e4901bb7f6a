"""What the evaluator adds to the least that its work can take, and what surrounds it.

The real time is that of a new evaluator, from recipes to scores: the store, messages to its processes and metrics
included. The ideal is each distinct layer application once, timed by itself in as many processes (see `ideal`). Both
take turns. The environment is stepped without a model, the agent with an evaluator that costs nothing.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table

from envs.table import table_space
from hm3.recipe import Recipe
from scripts.benchmark.candidates import near
from scripts.benchmark.ideal import Twins, Work
from scripts.benchmark.loops import agent_steps, environment_steps
from scripts.benchmark.report import Report, Request, rounded
from scripts.benchmark.zoo import Zoo, cores


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        merged: Whether the merged sources of the main job take part; building them anew takes its time.
        candidates: Stacks near the natural order.
        repeats: Rounds of real and ideal.
        seconds: Of each loop.
    """

    merged: bool = True
    candidates: int = 200
    repeats: int = 5
    seconds: float = 10.0


QUICK = Plan(merged=False, candidates=48, repeats=2, seconds=2.0)


def run(request: Request) -> Report:
    """Measure the evaluator, the environment and the agent."""
    plan = QUICK if request.quick else Plan()
    zoo = Zoo.open(merged=plan.merged)
    rounds = request.kept("rounds", lambda: _rounds(zoo, plan, request))
    loops = request.kept("loops", lambda: _loops(zoo, plan, request))
    ratio = statistics.median(one["real"] / one["ideal"] for one in rounds)
    summary = {
        "actual_over_ideal": rounded(ratio),
        "cache_hit_rate": rounded(rounds[-1]["hit_rate"]),
        "environment_steps_per_s": round(loops["environment"]),
        "ppo_steps_per_s": round(loops["agent"]),
        "ppo_steps_per_s_table": round(loops["agent, table"]),
        "candidates": plan.candidates,
    }
    return Report(summary, {"rounds": rounds, "loops": loops}, [_evaluator_table(rounds), _loops_table(loops)])


def _rounds(zoo: Zoo, plan: Plan, request: Request) -> list[dict[str, float]]:
    recipes = near(zoo.space, plan.candidates, request.seed)
    work = Work.of([recipe.content for recipe in recipes])
    rounds = []
    with Twins(zoo.screen_rows(), zoo.checkpoints, cores()) as twins:
        for number in range(plan.repeats):
            request.tell(f"round {number + 1} of {plan.repeats}")
            before = twins.seconds(work)
            real = _real(zoo, recipes)
            rounds.append({**real, "ideal": (before + twins.seconds(work)) / 2})
    return rounds


def _real(zoo: Zoo, recipes: list[Recipe]) -> dict[str, float]:
    """Seconds of a cold evaluator, and how many layers it found instead of computing them."""
    with zoo.bench() as bench:
        before, began = dict(bench.cache), time.perf_counter()
        bench.screen(recipes)
        seconds = time.perf_counter() - began
        hits, lookups = (bench.cache[name] - before[name] for name in ("hits", "lookups"))
    return {"real": seconds, "hit_rate": hits / lookups}


def _loops(zoo: Zoo, plan: Plan, request: Request) -> dict[str, float]:
    request.tell("environment and agent")
    return {
        "environment": environment_steps(zoo.space, episodes=1024, seconds=plan.seconds, seed=request.seed),
        "agent": agent_steps(zoo.space, seconds=plan.seconds, seed=request.seed),
        "agent, table": agent_steps(table_space(), seconds=plan.seconds, seed=request.seed),
    }


def _evaluator_table(rounds: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in ("round", "real s", "ideal s", "real over ideal", "layers found"):
        table.add_column(column, justify="right")
    for number, one in enumerate(rounds, start=1):
        ratio, hits = f"{one['real'] / one['ideal']:.3f}", f"{one['hit_rate']:.0%}"
        table.add_row(str(number), f"{one['real']:.2f}", f"{one['ideal']:.2f}", ratio, hits)
    return table


def _loops_table(loops: dict[str, float]) -> Table:
    names = {
        "environment": "StackVecEnv, 1,024 episodes, random legal actions",
        "agent": "PPO, the zoo's space, 64 episodes a rollout",
        "agent, table": "PPO, a space of four sources",
    }
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("loop")
    table.add_column("steps a second", justify="right")
    for name, title in names.items():
        table.add_row(title, f"{loops[name]:,.0f}")
    return table
