"""The online stage alone: a trained policy proposes for a preference, in seconds and without training.

python -m hm3.search run=outputs/2026-01-31/12-00-00 +preference=code_heavy
"""

from __future__ import annotations

from omegaconf import DictConfig

from hm3.command import command


@command("search")
def main(config: DictConfig) -> None:
    """Propose, judge, report and export for one preference."""
    # Imported here: worker processes import this module anew, and start in a fraction of the time without.
    from hm3.checks import flag
    from hm3.closing import show
    from hm3.composition import Offline, Online, composed, run_folder, sampler_of, search_stages, stated_weights
    from hm3.past_run import PastRun
    from hm3.session import Proposer

    past, folder = PastRun.open(config.run), run_folder()
    settings = past.settings_with(config)
    offline, online = Offline.of(settings), Online.of(settings)
    known = past.recipes if flag("known", config.known) else []
    weights = stated_weights(config) or past.weights
    with composed(settings, folder, weights, search_stages(settings, len(known))) as run:
        run.check_pool(past.folder)
        session = run.session
        screened = session.sources_on_screen()
        sampler = sampler_of(settings.offline, session.preference)
        searcher = run.searcher(settings.agent, sampler, offline.rollouts, screened.normaliser)
        searcher.restore(past.folder.path)
        if isinstance(searcher, Proposer):
            session.propose(searcher, screened, divisions=online.divisions, each=online.each, own=online.own)
        found = session.sources_on_search()
        if known:
            session.recall(known, found)
        rivals = session.compare(run.rivals, found)
        session.promote(screened, found, divisions=online.divisions, count=online.survivors)
        refiner = run.refiner(sampler, found.normaliser)
        session.refine(refiner, screened, found, rounds=online.refine, count=offline.episodes)
        front = run.conclude(found, rivals, most=online.front, export=settings.export)
    show(front, session.utility, folder)


if __name__ == "__main__":
    main()
