import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.rivals.data_flow import DataFlow
from agents.rivals.genomes import Genomes
from envs import PathRules, StackSpace, table_pool, table_space

POOL = table_pool(4)  # layers 0-3 of base, 4-7 of math, 8-11 of code, 12-15 of translation
ALIGNED = StackSpace(POOL, PathRules(4, 4, 1, 0, "follow"))
FREE = StackSpace(POOL, PathRules(2, 6, 1, None, "follow"))
SEARCHED = table_space(4)
SPACES = [ALIGNED, FREE, SEARCHED, table_space(4, host="math"), StackSpace(POOL, PathRules(7, 8, 1, 1, "searched"))]


def repaired(space, genome):
    genomes = Genomes(space)
    return genomes.decode(genomes.repair(np.array([genome])))[0]


def test_a_genome_has_a_gene_for_each_place_and_one_for_a_host_that_is_searched():
    assert Genomes(FREE).encode([([0, 5], 0)]).tolist() == [[1, 6, 0, 0, 0, 0]]
    assert Genomes(SEARCHED).encode([([0, 5], 3)]).tolist() == [[1, 6, 0, 0, 0, 0, 3]]


@pytest.mark.parametrize("space", SPACES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_any_genome_becomes_a_legal_stack_which_then_stays(space, data):
    genomes = Genomes(space)
    symbols = genomes.symbols.tolist()
    least = [0] * space.rules.max_depth + [1] * space.picks_host
    rows = data.draw(
        st.lists(st.tuples(*(st.integers(*ends) for ends in zip(least, symbols, strict=True))), min_size=1, max_size=4)
    )
    once = genomes.repair(np.array(rows))
    assert all(space.allows(layers) for layers, _ in genomes.decode(once))
    assert np.array_equal(genomes.repair(once), once)
    assert np.array_equal(genomes.encode(genomes.decode(once)), once)


def test_what_is_not_legal_becomes_the_nearest_index_of_its_own_source():
    # Reach 0 wants indices 0, 1, 2, 3: math 3, code 1, base 0 and translation 3 are moved there.
    assert repaired(ALIGNED, [1 + 7, 1 + 9, 1 + 0, 1 + 15]) == ([4, 9, 2, 15], 0)


def test_a_used_layer_is_replaced_by_the_next_source_of_its_index():
    assert repaired(FREE, [6, 6, 6, 0, 0, 0]) == ([5, 9, 13], 0)


def test_places_are_skipped_as_long_as_the_least_depth_remains():
    assert repaired(FREE, [0, 6, 0, 0, 11, 0]) == ([5, 10], 0)
    assert repaired(FREE, [6, 0, 0, 0, 0, 0]) == ([5, 6], 0)  # math 1 goes on with math 2
    assert repaired(ALIGNED, [13, 0, 0, 0]) == ([12, 13, 14, 15], 0)


def test_slots_above_zero_are_taken_in_the_order_of_the_list():
    flow = DataFlow(FREE, Genomes(FREE), repeats=2)
    assert flow.dimensions == 2 * 16
    point = np.full(32, -1.0)
    point[[0, 5, 16 + 2, 16 + 15]] = 0.5  # base 0, math 1; in the repetition base 2, translation 3
    assert Genomes(FREE).decode(flow.decode(point[None])) == [([0, 5, 2, 15], 0)]


def test_slots_that_are_not_legal_are_passed_over_and_ends_go_on_naturally():
    flow = DataFlow(ALIGNED, Genomes(ALIGNED), repeats=2)
    point = np.full(32, -1.0)
    point[[1, 4, 6, 9, 16 + 0]] = 0.5  # base 1 and math 2 come too early, base 0 too late
    assert Genomes(ALIGNED).decode(flow.decode(point[None])) == [([4, 9, 10, 11], 0)]


def test_no_more_slots_are_taken_than_a_stack_may_have_layers():
    flow = DataFlow(FREE, Genomes(FREE), repeats=1)
    assert Genomes(FREE).decode(flow.decode(np.ones((1, 16)))) == [([0, 1, 2, 3, 4, 5], 0)]


def test_the_largest_number_picks_the_host():
    flow = DataFlow(SEARCHED, Genomes(SEARCHED), repeats=1)
    point = np.append(np.full(16, -1.0), [0.1, -2.0, 0.7, 0.3])
    point[:4] = 1.0
    assert Genomes(SEARCHED).decode(flow.decode(point[None])) == [([0, 1, 2, 3], 3)]


def test_a_stack_is_found_in_the_list_and_decoded_again():
    for space, stack in ((FREE, ([9, 4, 2, 15], 0)), (SEARCHED, ([0, 5, 2, 3], 2)), (ALIGNED, ([4, 1, 6, 3], 0))):
        genomes = Genomes(space)
        flow = DataFlow(space, genomes, repeats=3)
        assert genomes.decode(flow.decode(flow.encode(genomes.encode([stack])[0])[None])) == [stack]
