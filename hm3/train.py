"""The main job: offline, then online, then report and export into one run folder.

python -m hm3.train +preference=math_heavy
"""

from __future__ import annotations

from omegaconf import DictConfig

from hm3.command import command


@command("train")
def main(config: DictConfig) -> None:
    """Train the policy, find the front for a preference, report and export."""
    # Imported here: worker processes import this module anew, and start in a fraction of the time without.
    from hm3.closing import show, show_finished
    from hm3.composition import Offline, Online, composed, sampler_of, started, train_stages

    with started(config) as start:
        if start.finished:
            return show_finished(start.folder)
        settings = start.config
        offline, online = Offline.of(settings), Online.of(settings)
        stages = train_stages(settings)
        with composed(settings, start, start.weights, stages) as run:
            sampler = sampler_of(settings.offline, run.session.preference)
            screened = run.session.sources_on_screen()
            spending = run.spending(start.seconds)
            run.tell_estimate(stages)
            searcher = run.searcher(settings.agent, sampler, offline.rollouts, screened.normaliser)
            run.train(searcher, screened, spending, rollouts=offline.rollouts, episodes=offline.episodes)
            front = run.search(searcher, screened, (), sampler, spending, online, count=offline.episodes)
    return show(front, run.session.utility, start.folder)


if __name__ == "__main__":
    main()
