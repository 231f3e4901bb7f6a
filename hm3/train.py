"""The main job: offline, then online, then report and export into one run folder.

python -m hm3.train +preference=math_heavy
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from omegaconf import DictConfig

from hm3.command import command

if TYPE_CHECKING:
    from hm3.composition import Composition, Start
    from hm3.runs import FrontFile


@command("train")
def main(config: DictConfig) -> None:
    """Merge, train the policy, find the front for a preference, report and export."""
    # Imported here: worker processes import this module anew, and start in a fraction of the time without.
    from hm3.closing import show, show_finished
    from hm3.composition import Online, composed, merge_stages, stacks_layers, started, train_stages

    with started(config) as start:
        if start.finished:
            return show_finished(start.folder)
        stacked = stacks_layers(start.config)
        stages = train_stages(start.config) if stacked else merge_stages(start.config)
        with composed(start.config, start, start.weights, stages) as run:
            run.tell_estimate(stages)
            run = run.merge()
            front = front_of_stacks(run, start) if stacked else run.front_of_merges(Online.of(start.config))
    return show(front, run.session.utility, start.folder)


def front_of_stacks(run: Composition, start: Start) -> FrontFile:
    """The architecture level: train a policy over sampled preferences, then let it search."""
    from hm3.composition import Offline, Online, sampler_of

    offline, online = Offline.of(start.config), Online.of(start.config)
    sampler = sampler_of(start.config.offline, run.session.preference)
    screened = run.session.sources_on_screen()
    spending = run.spending(start.seconds)
    searcher = run.searcher(start.config.agent, sampler, offline.rollouts, screened.normaliser)
    run.train(searcher, screened, spending, rollouts=offline.rollouts, episodes=offline.episodes)
    return run.search(searcher, screened, (), sampler, spending, online, count=offline.episodes)


if __name__ == "__main__":
    main()
