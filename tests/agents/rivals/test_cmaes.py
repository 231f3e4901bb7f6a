import itertools

import numpy as np

from agents.rivals import CMAES
from agents.rivals.cma_run import UNASKED, CMARun
from agents.rivals.data_flow import DataFlow
from agents.rivals.genomes import Genomes
from envs import Dirichlet, PathRules, StackSpace, TableEvaluator, table_pool
from hm3.objectives import Tchebycheff

SPACE = StackSpace(table_pool(6), PathRules(6, 6, 1, 0, "follow"))
GENOMES = Genomes(SPACE)
FLOW = DataFlow(SPACE, GENOMES, repeats=3)
TABLE = TableEvaluator(SPACE.pool)
BASE = GENOMES.encode([(list(range(6)), 0)])[0]


def begun(losses, seed=0):
    run = CMARun(FLOW, losses.get, np.random.default_rng(seed), 2.0)
    run.begin(BASE)
    return run


def test_a_run_begins_at_its_distance_from_its_stack():
    run = begun({})
    assert run._strategy.sigma == 1.0
    assert run._strategy.mean.tolist() == [2.0] * 6 + [-2.0] * 66


def test_a_generation_waits_for_all_of_its_losses():
    losses = {}
    run = begun(losses)
    drawn = run.draw(100, set())
    assert len(run._generation) == run._strategy.popsize == 16  # 4 + 3 ln 72
    assert run.draw(100, set(map(bytes, drawn))) == []
    keys = [key for _, key in run._generation]
    losses.update({key: float(number) for number, key in enumerate(keys[:-1])})
    losses.pop(keys[-1], None)
    run.draw(100, set())
    assert run._strategy.countiter == 0
    losses[keys[-1]] = 99.0
    run.draw(100, set())
    assert run._strategy.countiter == 1
    assert not np.array_equal(run._strategy.mean, np.array([2.0] * 6 + [-2.0] * 66))


def test_what_is_known_is_answered_without_being_asked():
    run = CMARun(
        FLOW,
        lambda key: float(np.frombuffer(key, dtype=np.int64) @ [1, -2, 3, -4, 5, -6]),
        np.random.default_rng(0),
        0.5,
    )
    run.begin(BASE)
    everything = type("Everything", (), {"__contains__": lambda self, key: True})()
    assert run.draw(10**6, everything) == []
    assert run._strategy.countiter == UNASKED - 1


def test_a_run_of_equal_losses_is_over():
    run = begun({bytes(BASE): 1.0})
    run._flow.decode = lambda points: np.tile(BASE, (len(points), 1))
    try:
        run.draw(100, {bytes(BASE)})
    finally:
        del run._flow.decode
    assert run.over


def test_runs_take_turns_a_generation_each(monkeypatch):
    drawing, draw = [], CMARun.draw

    def noted(run, count, seen):
        new = draw(run, count, seen)
        drawing.extend([run] if new else [])
        return new

    monkeypatch.setattr(CMARun, "draw", noted)
    rival = CMAES(space=SPACE, normaliser=TABLE.normaliser(), utility=Tchebycheff(), sampler=Dirichlet(3), divisions=1)
    assert rival.preferences.tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]
    for _ in range(20):
        recipes = rival.ask(8)  # half a generation
        rival.tell(recipes, TABLE(recipes))
    turns = [rival._runs.index(run) for run, _ in itertools.groupby(drawing)]
    assert turns[:7] == [0, 1, 2, 0, 1, 2, 0]


def test_a_run_begins_with_the_best_that_is_known_for_its_preference(monkeypatch):
    begun_at = []
    monkeypatch.setattr(CMARun, "begin", lambda run, genome: begun_at.append(genome.tolist()))
    rival = CMAES(space=SPACE, normaliser=TABLE.normaliser(), utility=Tchebycheff(), sampler=Dirichlet(3), divisions=1)
    sources = rival.ask(4)
    rival.tell(sources, TABLE(sources))
    rival.ask(4)
    # Preferences for translation, code, math alone; the formula's best sources at these are their experts.
    assert begun_at == [list(range(first, first + 6)) for first in (19, 13, 7)]
