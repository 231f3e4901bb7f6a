import numpy as np
import pytest
from pymoo.core.population import Population
from pymoo.util.ref_dirs import get_reference_directions

from agents.rivals import MOEAD, NSGA2, NSGA3, RegularisedEvolution
from agents.rivals.genomes import Genomes
from agents.rivals.variation import LegalMutation, NeverAgain
from envs import Dirichlet, PathRules, StackSpace, TableEvaluator, table_pool
from hm3.objectives import Linear, Scores, Tchebycheff

SPACE = StackSpace(table_pool(6), PathRules(6, 6, 1, 0, "follow"))
TABLE = TableEvaluator(SPACE.pool)
GIVEN = {"space": SPACE, "normaliser": TABLE.normaliser(), "utility": Tchebycheff(), "sampler": Dirichlet(3)}


def one_round(rival, count, score=TABLE):
    recipes = rival.ask(count)
    rival.tell(recipes, score(recipes))
    return Genomes(SPACE).encode([SPACE.encode(recipe) for recipe in recipes])


def test_ageing_removes_the_oldest_however_good():
    rival = RegularisedEvolution(**GIVEN, population=8, tournament=3)
    best_first = [1.0, *[0.1] * 7]
    first = one_round(rival, 8, lambda recipes: [Scores(TABLE.names, (value,) * 3) for value in best_first])
    assert np.array_equal(rival.population, first)
    second = one_round(rival, 3)
    assert np.array_equal(rival.population, np.vstack([first[3:], second]))


def test_children_are_one_change_from_the_winner():
    rival = RegularisedEvolution(**GIVEN, population=8, tournament=200)  # everyone is in every tournament
    first = one_round(rival, 8, lambda recipes: [Scores(TABLE.names, (n / 8,) * 3) for n in range(8)])
    children = one_round(rival, 5)
    changes = children != first[7]
    # A block from another source is one change, too. Children that were known by then have gone one step further.
    sources = [len({(gene - 1) // 6 for gene in child[row]}) for child, row in zip(children, changes, strict=True)]
    assert sources.count(1) >= 4
    assert max(sources) == 2


def test_each_tournament_has_its_own_preference():
    rival = RegularisedEvolution(
        **{**GIVEN, "utility": Linear(), "sampler": Dirichlet(3, corners=1.0)}, population=3, tournament=50
    )
    first = one_round(rival, 3, lambda recipes: [Scores(TABLE.names, tuple(row)) for row in np.eye(3).tolist()])
    winners = rival._winners(60)
    assert len(first) == 3
    assert np.bincount(winners, minlength=3).min() > 8  # by corners drawn, 20 each on average


def test_reference_directions_are_pymoos():
    for divisions, count in ((4, 15), (12, 91)):
        expected = get_reference_directions("das-dennis", 3, n_partitions=divisions)
        for kind in (NSGA3, MOEAD):
            found = kind(**GIVEN, divisions=divisions).directions
            assert len(found) == count
            assert np.allclose(np.sort(found, axis=0), np.sort(expected, axis=0), atol=2e-4)


def test_crowding_keeps_the_best_of_every_objective():
    rival = NSGA2(**GIVEN, population=15)
    asked = np.vstack([one_round(rival, 15) for _ in range(8)])
    values = np.array([rival._known[bytes(genome)] for genome in asked])
    alive = {bytes(genome) for genome in rival.population}
    assert len(alive) == 15
    assert {bytes(asked[number]) for number in values.argmax(axis=0)} <= alive


@pytest.mark.parametrize("kind", [NSGA2, NSGA3])
def test_what_is_dominated_dies_first(kind):
    rival = kind(**GIVEN, **({"population": 15} if kind is NSGA2 else {"divisions": 4}))
    first = one_round(rival, 15, lambda recipes: [Scores(TABLE.names, (0.1, 0.1, 0.1)) for _ in recipes])
    second = one_round(rival, 15, lambda recipes: [Scores(TABLE.names, (0.2, 0.2, 0.2)) for _ in recipes])
    assert {bytes(genome) for genome in rival.population} == {bytes(genome) for genome in second}
    assert not {bytes(genome) for genome in first} & {bytes(genome) for genome in second}


def test_each_direction_of_moead_begins_with_what_suits_it_best():
    rival = MOEAD(**GIVEN, divisions=1, neighbours=3)  # the three corners
    first = one_round(rival, 30)
    values = np.array([rival._known[bytes(genome)] for genome in first])
    assert [bytes(genome) for genome in rival.population] == [
        bytes(first[values[:, objective].argmax()]) for objective in (2, 1, 0)
    ]


def test_a_child_of_moead_replaces_what_it_beats_in_its_neighbourhood():
    rival = MOEAD(**GIVEN, divisions=1, neighbours=3)
    one_round(rival, 30)
    (child,) = one_round(rival, 1, lambda recipes: [Scores(TABLE.names, (9.0, 9.0, 9.0))])
    assert np.array_equal(rival.population, np.tile(child, (3, 1)))


def test_moead_gives_every_direction_its_child():
    rival = MOEAD(**GIVEN, divisions=4, neighbours=5)
    one_round(rival, 15)
    rival.ask(40)
    assert np.bincount(list(rival._places.values()), minlength=15).tolist().count(0) == 0


def test_a_mutant_is_repaired_and_changed():
    genomes = Genomes(SPACE)
    parent = np.array([[1, 2, 3, 4, 5, 6], [6, 6, 6, 6, 6, 6]])  # both are the base once repaired
    population = LegalMutation(SPACE, genomes, 1.0).do(
        None, Population.new(X=parent), random_state=np.random.default_rng(0)
    )
    for genome in population.get("X"):
        assert SPACE.allows((genome - 1).tolist())
        assert not np.array_equal(genome, parent[0])


def test_only_what_is_new_remains():
    rows = np.array([[1, 2], [3, 4], [1, 2], [5, 6], [7, 8]])
    seen = {bytes(rows[3])}
    kept = NeverAgain(seen).do(Population.new(X=rows), Population.new(X=rows[4:]))
    assert kept.get("X").tolist() == [[1, 2], [3, 4]]
