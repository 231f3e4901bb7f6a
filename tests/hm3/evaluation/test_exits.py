"""Early exits: a prefix read in passing is the prefix scored as a stack of its own."""

from collections import Counter

import numpy as np
import pytest
import torch

from hm3.checkpoints import Checkpoint
from hm3.errors import ConfigurationError
from hm3.evaluation import LocalScorer, ProcessScorer
from hm3.evaluation.scorer import StackScorer
from hm3.exits import PrefixEvaluator, prefix
from hm3.layers import Decoder
from hm3.machine import Items, Machine
from hm3.objectives import Objective
from hm3.recipe import LayerRef, Recipe
from hm3.workbench import Workbench
from tests.tiny_stacks import FEW, MB, ROWS, bank_of, some_stacks, two_sources
from tests.tiny_tasks import write_tasks

OBJECTIVES = (Objective("sums", "sums", "likelihood"), Objective("depth", "", "depth"))


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return two_sources(tmp_path_factory.mktemp("sources"))


def exits_of(stacks):
    """Every prefix of every stack, each once."""
    return list({each._replace(path=each.path[:n]) for each in stacks for n in range(1, len(each.path) + 1)})


def test_an_exit_answers_like_the_stack_of_the_same_layers(sources):
    exits = exits_of(some_stacks(sources))
    early = StackScorer(bank_of(sources), [ROWS], 0).score([], 0, exits)
    whole = StackScorer(bank_of(sources), [ROWS], 0).score(exits, 0)
    assert len(exits) > 20
    np.testing.assert_allclose(early.log_likelihood, whole.log_likelihood, atol=1e-5, rtol=1e-6)
    assert torch.equal(early.greedy, whole.greedy)


@pytest.mark.parametrize("cache", [0, 200_000, 64 * MB])
def test_stacks_and_exits_are_the_same_bits_in_any_company(sources, cache):
    stacks = some_stacks(sources, 12)
    exits = exits_of(stacks)
    alone = [
        *(StackScorer(bank_of(sources), [ROWS], 0).score([each], 0).log_likelihood[0] for each in stacks),
        *(StackScorer(bank_of(sources), [ROWS], 0).score([], 0, [each]).log_likelihood[0] for each in exits),
    ]
    scorer = StackScorer(bank_of(sources), [ROWS], cache)
    for _ in range(3):  # the cache fills
        assert torch.equal(scorer.score(stacks, 0, exits).log_likelihood, torch.stack(alone))


def test_exits_need_no_more_layers_than_the_longest_ones(sources, monkeypatch):
    count = Counter()
    run = Decoder.layer
    monkeypatch.setattr(Decoder, "layer", lambda *given: count.update(["layers"]) or run(*given))
    stacks = some_stacks(sources, 40)
    exits = exits_of(stacks)
    StackScorer(bank_of(sources), [FEW], 0).score(stacks, 0, exits)
    assert count["layers"] == len({(each.embedding, each.path) for each in exits})


def test_processes_read_the_same_exits(sources):
    stacks = some_stacks(sources, 6)
    exits = exits_of(stacks)
    local = LocalScorer([ROWS], bank_of(sources), cache_bytes=MB)
    apart = ProcessScorer([ROWS], workers=1, dtype=torch.float32, cache_bytes=MB)
    try:
        for checkpoint in sources.values():
            apart.add(checkpoint.source.digest, checkpoint)
        theirs = apart.score(stacks, 0, exits)
    finally:
        apart.close()
    assert torch.equal(theirs.log_likelihood, local.score(stacks, 0, exits).log_likelihood)


@pytest.fixture(scope="module")
def include(tmp_path_factory):
    return write_tasks(tmp_path_factory.mktemp("tasks"))


@pytest.fixture
def bench(sources, include, tmp_path):
    with open_bench(sources, include, tmp_path) as opened:
        yield opened


def open_bench(sources: dict[str, Checkpoint], include, folder, objectives=OBJECTIVES):
    machine, items = Machine(device="cpu", workers=0), Items(screen=4)
    store = folder / "store.sqlite"
    return Workbench.open(sources.values(), objectives, include=[include], store=store, machine=machine, items=items)


def recipe(sources, layers, host="a"):
    named = {name: checkpoint.source for name, checkpoint in sources.items()}
    return Recipe.build([LayerRef(layer[0], int(layer[1])) for layer in layers.split()], host, host, named)


def test_a_prefix_keeps_the_hosts_and_only_the_sources_it_uses(sources):
    whole = recipe(sources, "a0 b1 a2", host="a")
    assert prefix(whole, 1) == recipe(sources, "a0", host="a")
    assert prefix(recipe(sources, "a0 a1", host="b"), 1) == recipe(sources, "a0", host="b")
    assert prefix(whole, 3) == whole


def test_prefix_scores_are_those_of_the_prefixes_and_end_with_the_stacks_own(bench, sources):
    recipes = [recipe(sources, "a0 b1 a2"), recipe(sources, "a0 b1 b3 a3"), recipe(sources, "b0", host="b")]
    found = bench.screen.prefixes(recipes)
    own = bench.screen(recipes)
    assert isinstance(bench.screen, PrefixEvaluator)
    for each, scores, last in zip(recipes, found, own, strict=True):
        assert scores[-1] == last
        as_stacks = bench.screen([prefix(each, n) for n in range(1, each.depth + 1)])
        np.testing.assert_allclose([s.values for s in scores], [s.values for s in as_stacks], atol=1e-6)
        assert [s.values[1] for s in scores] == [-1.0 - n for n in range(each.depth)]


def test_exits_are_counted_apart_and_each_is_read_once(bench, sources, monkeypatch):
    read = []
    score = LocalScorer.score

    def spied(self, stacks, row_set, exits=(), *seams):
        read.append((len(stacks), len(exits)))
        return score(self, stacks, row_set, exits, *seams)

    monkeypatch.setattr(LocalScorer, "score", spied)
    first, second = recipe(sources, "a0 b1 a2"), recipe(sources, "a0 b1 b2")
    bench.screen.prefixes([first, second, first])
    assert read == [(2, 2)]  # a0 and a0 b1 belong to both
    assert (bench.evaluations, bench.exits) == (2, 2)
    assert bench.screen.prefixes([second]) == [
        [*bench.screen.early([prefix(second, 1), prefix(second, 2)]), own(bench, second)]
    ]
    bench.screen.early([first])
    assert read == [(2, 2), (0, 1)]
    assert (bench.evaluations, bench.exits) == (2, 3)


def own(bench, each):
    return bench.screen([each])[0]


def test_what_is_stored_of_exits_is_never_taken_for_a_stack(sources, include, tmp_path):
    """So that a run sees the same bits whatever another one has left in the store."""
    each = recipe(sources, "a0 b1")
    benches = []
    for number, ask_first in enumerate(("early", "__call__")):
        (tmp_path / str(number)).mkdir()
        with open_bench(sources, include, tmp_path / str(number)) as opened:
            getattr(opened.screen, ask_first)([each])
            benches.append((opened.screen([each]), opened.screen.early([each])))
    assert benches[0] == benches[1]


def test_stacks_and_other_stacks_exits_are_judged_together(bench, sources):
    whole = [recipe(sources, "a0 b1 a2"), recipe(sources, "b0 b1")]
    exits = [recipe(sources, "a0 b1"), recipe(sources, "a0"), recipe(sources, "a0 b1 a2")]
    scores, early = bench.screen.together(whole, exits)
    assert (bench.evaluations, bench.exits) == (2, 3)
    assert scores == bench.screen(whole)
    assert early == bench.screen.early(exits)


def test_a_task_that_generates_has_no_early_exits(sources, include, tmp_path):
    objectives = (*OBJECTIVES, Objective("write", "write", "letters"))
    with open_bench(sources, include, tmp_path, objectives) as opened:
        for ask in (opened.screen.prefixes, opened.screen.early):
            with pytest.raises(ConfigurationError, match=r"got write, which asks for generate_until$"):
                ask([recipe(sources, "a0 b1")])
