"""The main job: offline, then online, then report and export into one run folder.

Departs from the HM3 paper: one policy for all preferences instead of one training for each; masked discrete actions
instead of a continuous proto-action; the reward is the utility that is stated; the report is on items that no search
has touched.

    python -m hm3.train +preference=math_heavy
"""

from __future__ import annotations

from omegaconf import DictConfig

from hm3.command import command


@command("train")
def main(config: DictConfig) -> None:
    """Train, search, report and export."""
    # Imported here: worker processes import this module anew, and start in a fraction of the time without.
    from hm3.closing import show
    from hm3.composition import Offline, Online, composed, run_folder, sampler_of, stated_weights, train_stages
    from hm3.session import Proposer

    folder, offline, online = run_folder(), Offline.of(config), Online.of(config)
    with composed(config, folder, stated_weights(config), train_stages(config)) as run:
        session = run.session
        sampler = sampler_of(config.offline, session.preference)
        screened = session.sources_on_screen()
        searcher = run.searcher(config.agent, sampler, offline.rollouts, screened.normaliser)
        session.offline(
            searcher,
            screened,
            rollouts=offline.rollouts,
            episodes=offline.episodes,
            metrics=lambda: getattr(searcher, "metrics", {}),
        )
        searcher.save(folder.path)
        run.write_pool()
        if isinstance(searcher, Proposer):
            session.propose(searcher, screened, divisions=online.divisions, each=online.each, own=online.own)
        found = session.sources_on_search()
        rivals = session.compare(run.rivals, found)
        session.promote(screened, found, divisions=online.divisions, count=online.survivors)
        refiner = run.refiner(sampler, found.normaliser)
        session.refine(refiner, screened, found, rounds=online.refine, count=offline.episodes)
        front = run.conclude(found, rivals, most=online.front, export=config.export)
    show(front, session.utility, folder)


if __name__ == "__main__":
    main()
