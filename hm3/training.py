"""Training as a run does it: from the last resume point, with a new one after every rollout."""

from __future__ import annotations

from dataclasses import dataclass

from hm3.budget import Spending
from hm3.judged import Judged
from hm3.offline import Rollout
from hm3.resume_points import Point, ResumePoints, publish
from hm3.runs import RunFolder
from hm3.searchers import Searcher
from hm3.session import Session


@dataclass(frozen=True)
class Training:
    """The offline stage of one run.

    Attributes:
        session: The run at work.
        folder: Where resume points and the trained searcher go.
        points: The run's resume points.
    """

    session: Session
    folder: RunFolder
    points: ResumePoints

    def __call__(
        self, searcher: Searcher, screened: Judged, spending: Spending, *, rollouts: int, episodes: int
    ) -> None:
        """Train `searcher`, or what is left of it, and write it into the run folder.

        Args:
            searcher: Proposes and learns.
            screened: The sources, judged on the screen; takes in whatever else was and will be.
            spending: Of the run's budget.
            rollouts: Number of rollouts, if no budget rules.
            episodes: Episodes of each.

        Raises:
            ConfigurationError: The resume point is another searcher's.
        """
        screen = self.session.bench.screen
        point = self.points.restore(searcher, screened, screen.asked_early)
        screen.asked.update(screened.candidates)
        if not self.points.trained:
            self.session.offline(
                searcher,
                screened,
                spending,
                rollouts=rollouts,
                episodes=episodes,
                first=point.rollout + 1,
                after=lambda rollout: self._keep(rollout, searcher, spending),
            )
            publish(searcher, self.folder.path)
            self.points.finish_training()

    def _keep(self, rollout: Rollout, searcher: Searcher, spending: Spending) -> None:
        size = self.folder.metrics.stat().st_size
        early = self.session.bench.screen.asked_early
        self.points.write(Point(rollout.number, spending.seconds, size), searcher, rollout.judged, early)
