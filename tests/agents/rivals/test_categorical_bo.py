import numpy as np
import pytest

from agents.merge_settings.isolated import isolated
from agents.rivals import CategoricalBO
from envs import Dirichlet, PathRules, StackSpace, TableEvaluator, table_pool
from hm3.objectives import Tchebycheff

SPACE = StackSpace(table_pool(6), PathRules(6, 6, 1, 0, "follow"))
TABLE = TableEvaluator(SPACE.pool)
LIGHT = {"samples": 8, "candidates": 20, "rounds": 1, "beam": 2, "shortlist": 4}
GIVEN = {"space": SPACE, "normaliser": TABLE.normaliser(), "utility": Tchebycheff(), "sampler": Dirichlet(3)}


@pytest.fixture(autouse=True)
def _quiet():
    with isolated(0):
        yield


def one_round(rival, count):
    recipes = rival.ask(count)
    rival.tell(recipes, TABLE(recipes))
    return recipes


def test_the_kernel_counts_the_genes_that_differ():
    import torch

    from agents.rivals.hamming import hamming_kernel

    kernel = hamming_kernel(4)
    kernel.outputscale = 2.0
    kernel.base_kernel.lengthscale = torch.tensor([[1.0, 0.5, 2.0, 1.0]])
    stacks = torch.tensor([[1.0, 2, 3, 4], [1, 9, 3, 4], [1, 9, 8, 4], [5, 6, 7, 8]])
    # Distances from the first: 0; 1 / 0.5; 1 / 0.5 + 1 / 2; 1 + 2 + 0.5 + 1; each over four genes.
    expected = 2 * np.exp(-np.array([0.0, 2.0, 2.5, 4.5]) / 4)
    assert np.allclose(kernel(stacks[:1], stacks).to_dense().detach().numpy(), expected)


def test_names_have_no_order():
    from agents.rivals.hamming import hamming_kernel

    kernel = hamming_kernel(1)
    import torch

    near, far = (kernel(torch.tensor([[1.0]]), torch.tensor([[other]])).to_dense().item() for other in (2.0, 24.0))
    assert near == far


def test_a_process_predicts_what_it_has_not_seen():
    from agents.rivals.genomes import Genomes
    from agents.rivals.hamming import HammingProcess
    from agents.rivals.start import Start

    genomes = Genomes(SPACE)
    rng = np.random.default_rng(0)
    rows = np.unique(genomes.encode(Start(SPACE, 0.0).natural(80, rng)), axis=0)
    rng.shuffle(rows)
    values = TABLE.normaliser()([s.values for s in TABLE([SPACE.recipe(*stack) for stack in genomes.decode(rows)])])
    process = HammingProcess.fit(rows[:60], values[:60])
    error = ((process.predict(rows[60:]) - values[60:]) ** 2).mean(axis=0)
    assert (error < 0.5 * values[60:].var(axis=0)).all()


def test_processes_learn_from_no_more_than_most():
    rival = CategoricalBO(**GIVEN, **LIGHT, initial=10, most=22)
    learnt = []
    for _ in range(6):
        one_round(rival, 6)
        learnt.append(rival.learnt)
    assert learnt == [0, 0, 12, 18, 22, 22]


def test_afterwards_proposals_follow_the_last_process():
    rival = CategoricalBO(**GIVEN, **LIGHT, initial=30, most=30)
    for _ in range(3):
        one_round(rival, 10)
    rng = np.random.default_rng(0)
    asked = [SPACE.encode(recipe) for recipe in rival.ask(20)]
    expected = rival._process.predict(rival._genomes.encode(asked))
    drawn = rival._process.predict(rival._genomes.encode(rival._start.natural(200, rng)))
    assert expected.mean() > drawn.mean() + 0.1


def test_an_acquisition_prefers_what_promises_more():
    from agents.rivals.local_gain import LocalGain

    rival = CategoricalBO(**GIVEN, **LIGHT, initial=40, most=100)
    one_round(rival, 40)
    process = rival._fitted()
    candidates = rival._drawn(40)
    (best,) = LocalGain(process, np.zeros(3), lambda genomes, count: genomes[:0], 64, 0, 1, 1).best(candidates, 1)
    assert process.predict(best[None]).sum() > np.median(process.predict(candidates).sum(axis=1))


def test_a_batch_is_of_different_stacks():
    rival = CategoricalBO(**GIVEN, **LIGHT, initial=10)
    one_round(rival, 10)
    assert len(set(one_round(rival, 8))) == 8
