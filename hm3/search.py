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
    from hm3.closing import show, show_finished
    from hm3.composition import Offline, Online, composed, sampler_of, search_stages, started
    from hm3.composition.trained_on import check_trained
    from hm3.past_run import PastRun

    with started(config) as start:
        if start.finished:
            return show_finished(start.folder)
        past = PastRun.open(start.config.run)
        check_trained(past.folder)
        settings = past.settings_with(start.config)
        offline, online = Offline.of(settings), Online.of(settings)
        known = past.recipes if flag("known", start.config.known) else []
        stages, weights = search_stages(settings, len(known)), start.weights or past.weights
        with composed(settings, start, weights, stages, merged_in=past.merged_in) as run:
            run = run.merge()
            run.check_pool(past.folder)
            sampler = sampler_of(settings.offline, run.session.preference)
            screened = run.session.sources_on_screen()
            searcher = run.searcher(settings.agent, sampler, offline.rollouts, screened.normaliser)
            searcher.restore(past.folder.path)
            spending = run.spending(start.seconds)
            front = run.search(searcher, screened, known, sampler, spending, online, count=offline.episodes)
    return show(front, run.session.utility, start.folder)


if __name__ == "__main__":
    main()
