"""Candidates scored per second, against mergekit and lm-eval on the same candidates, items and cores.

Ours: a new evaluator with an empty store and empty caches (cold), the same after a search has converged (warm), and a
bfloat16 screen whose front is scored again in float32. The rival: mergekit's passthrough to disk, then lm-eval's
`simple_evaluate`; and, tuned, its `evaluate` with task objects that are built once. Both with all cores or one, and
at a batch size, whatever is best here. The sides take turns; both are warm before anything is timed. Times are
wall-clock.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hm3.archive import ParetoArchive
from hm3.objectives import Candidate
from hm3.recipe import Recipe
from scripts.benchmark.candidates import converging, free, near
from scripts.benchmark.memory import own_peak, workers_peak
from scripts.benchmark.report import Report, Request
from scripts.benchmark.rival import DECISION, Answers, Rival, Setting
from scripts.benchmark.throughput_figures import figures
from scripts.benchmark.zoo import Zoo, cores


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes:
        merged: Whether the merged sources of the main job take part; building them anew takes its time.
        candidates: Of each set.
        repeats: Rounds in which the sides take turns.
        rival: Candidates of each set that the rival scores in a round, in each of its two forms.
        rollouts: Of the search that warms up.
        warm: Candidates of the search that are timed.
        batch_sizes: Tried for the rival.
    """

    merged: bool = True
    candidates: int = 200
    repeats: int = 3
    rival: int = 8
    rollouts: int = 20
    warm: int = 2000
    batch_sizes: Sequence[int] = (16, 64, 192)


QUICK = Plan(merged=False, candidates=24, repeats=1, rival=3, rollouts=1, warm=32, batch_sizes=(64,))


def run(request: Request) -> Report:
    """Measure both sides in turns, then see that they say the same."""
    plan = QUICK if request.quick else Plan()
    with tempfile.TemporaryDirectory(prefix="hm3-rival-") as folder:
        contest = Contest.between(Zoo.open(merged=plan.merged), Path(folder), plan, request)
        contest.begin()
        for number in range(plan.repeats):
            contest.turn(number)
        contest.warm()
        contest.compare()
    return figures(request.kept.parts, plan.candidates)


@dataclass(frozen=True)
class Contest:
    """Both sides.

    Attributes:
        zoo: Sources, space and tasks.
        rival: The other side.
        sets: Candidates, in free order and near the natural order.
        plan: How much is measured.
        request: Keeps the parts: JSON values by name.
    """

    zoo: Zoo
    rival: Rival
    sets: dict[str, list[Recipe]]
    plan: Plan
    request: Request

    @classmethod
    def between(cls, zoo: Zoo, folder: Path, plan: Plan, request: Request) -> Contest:
        """On the same candidates and the same items."""
        sets = {
            "near": near(zoo.space, plan.candidates, request.seed),
            "free": free(zoo.free, plan.candidates, request.seed),
        }
        rival = Rival(zoo.checkpoints, zoo.screen_items(), zoo.tasks, folder)
        return cls(zoo, rival, sets, plan, request)

    def begin(self) -> None:
        """Our first round, whose memory the rival is not in, then the rival's settings; both sides are warm then."""
        self._keep("ours/near/0", partial(self._cold, self.sets["near"]))
        self._keep("settings", self._try_settings)

    def turn(self, number: int) -> None:
        """One round of each side."""
        at = slice(number * self.plan.rival, (number + 1) * self.plan.rival)
        for name, recipes in self.sets.items():
            self._keep(f"ours/{name}/{number}", partial(self._cold, recipes))
            self._keep(f"rival/{name}/{number}", partial(self._rivals, recipes[at]))
        self._keep(f"screen/{number}", self._screened)

    def warm(self) -> None:
        """Our side while a search converges."""
        self._keep("warm", self._converging)

    def compare(self) -> None:
        """Our answers to what the rival has scored."""
        recipes = [recipe for one in self.sets.values() for recipe in one[: self.plan.repeats * self.plan.rival]]
        self._keep("answers", lambda: [each.to_json() for each in self._answers(recipes)])

    def _keep(self, name: str, make: Callable[[], Any]) -> Any:
        if name not in self.request.kept.parts:
            self.request.tell(name)
        return self.request.kept(name, make)

    @property
    def _settings(self) -> dict[str, Setting]:
        tried = (Setting(size, threads) for size in self.plan.batch_sizes for threads in {1, cores()})
        return {str(setting): setting for setting in tried}

    def _try_settings(self) -> dict[str, float]:
        """The rival's seconds for a candidate under each setting: the better of two tries."""
        recipe, settings = self.sets["near"][0], self._settings
        for score in (self.rival.simple, self.rival.tuned):
            score(recipe, next(iter(settings.values())))
        return {
            name: min(self.rival.tuned(recipe, setting).seconds for _ in range(2)) for name, setting in settings.items()
        }

    def _rivals(self, recipes: Sequence[Recipe]) -> list[dict[str, Any]]:
        """What the rival says of each candidate in its two forms."""
        seconds = self.request.kept.parts["settings"]
        best = self._settings[min(seconds, key=seconds.__getitem__)]
        pairs = ((self.rival.simple(recipe, best), self.rival.tuned(recipe, best)) for recipe in recipes)
        return [{"simple": simple.to_json(), "tuned": tuned.to_json()} for simple, tuned in pairs]

    def _cold(self, recipes: Sequence[Recipe]) -> dict[str, float]:
        """Seconds for all of them, and the bytes that this process and the scoring ones have held at most."""
        with self.zoo.bench() as bench:
            began = time.perf_counter()
            bench.screen(recipes)
            seconds = time.perf_counter() - began
            return {"seconds": seconds, "own_peak": own_peak(), "workers_peak": workers_peak()}

    def _screened(self) -> dict[str, float]:
        """Seconds for the near ones in bfloat16 and for their front again in float32, and the front's size."""
        recipes, archive = self.sets["near"], ParetoArchive()
        with self.zoo.bench("bfloat16") as bench:
            began = time.perf_counter()
            for recipe, scores in zip(recipes, bench.screen(recipes), strict=True):
                archive.add(Candidate(recipe, scores))
            seconds = time.perf_counter() - began
        front = [candidate.recipe for candidate in archive]
        return {"seconds": seconds, "again": self._cold(front)["seconds"], "front": len(front)}

    def _converging(self) -> dict[str, Any]:
        """Each round's new candidates and seconds, of the warming and of the timed rounds, and the caches' hits."""
        rounds: dict[str, list[tuple[int, float]]] = {"warming": [], "warm": []}
        with self.zoo.bench(cache_mb=256) as bench:
            plan, before = self.plan, dict(bench.cache)
            search = converging(
                self.zoo.space, bench.screen, rollouts=plan.rollouts, count=plan.warm, seed=self.request.seed
            )
            for stage, timed in search:
                if stage == "warming":
                    before = dict(bench.cache)
                rounds[stage].append((timed.count, timed.seconds))
            hits, lookups = (bench.cache[name] - before[name] for name in ("hits", "lookups"))
            return {**rounds, "hit_rate": hits / lookups, "workers_peak": workers_peak()}

    def _answers(self, recipes: Sequence[Recipe]) -> list[Answers]:
        with self.zoo.bench() as bench:
            tasks = list(self.zoo.screen_items())
            reports, details = bench.screen.reports(recipes), bench.screen.details(recipes)
        decisions = [{task: one[DECISION] for task, one in zip(tasks, each, strict=True)} for each in details]
        return [Answers(report.metrics, one) for report, one in zip(reports, decisions, strict=True)]
