"""A stack's scores are the same bits in whatever company; every distinct prefix is computed once."""

import random
from collections import Counter

import numpy as np
import pytest
import torch

from hm3.errors import CheckpointError
from hm3.evaluation import LocalScorer, ProcessScorer
from hm3.evaluation.prefixes import PrefixCache
from hm3.evaluation.rows import Row, pack
from hm3.evaluation.scorer import StackScorer
from hm3.layers import Decoder
from tests.tiny_stacks import FEW, MB, ROWS, bank_of, some_stacks, stack, two_sources


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return two_sources(tmp_path_factory.mktemp("sources"))


@pytest.mark.parametrize("cache", [0, 200_000, 64 * MB])
def test_scores_are_the_same_bits_in_any_company_order_and_cache(sources, cache):
    stacks = some_stacks(sources)
    alone = [StackScorer(bank_of(sources), [ROWS], 0).score([each], 0).log_likelihood[0] for each in stacks]
    scorer = StackScorer(bank_of(sources), [ROWS], cache)
    mixed = random.Random(1).sample(range(len(stacks)), len(stacks))
    calls = [list(range(len(stacks))), mixed, mixed[:5], [*mixed, *mixed]]  # the last one holds each stack twice
    for call in calls:
        together = scorer.score([stacks[i] for i in call], 0).log_likelihood
        assert torch.equal(together, torch.stack([alone[i] for i in call]))
    assert (scorer.cache.counts.evicted > 0) is (cache == 200_000)  # so that losing prefixes was tried, too


def test_one_path_under_two_hosts_shares_no_hidden_state(sources):
    both = [stack(sources, "a0 a1 a2", host) for host in "ab"]
    alone = [StackScorer(bank_of(sources), [ROWS], 0).score([each], 0).log_likelihood[0] for each in both]
    assert torch.equal(StackScorer(bank_of(sources), [ROWS], 0).score(both, 0).log_likelihood, torch.stack(alone))


def test_row_sets_do_not_share_prefixes(sources):
    scorer = StackScorer(bank_of(sources), [ROWS, ROWS[::-1][:9]], 64 * MB)
    one = stack(sources, "a0 a1 a2")
    first = [scorer.score([one], 0) for _ in range(3)][-1].log_likelihood[0]
    second = [scorer.score([one], 1) for _ in range(3)][-1].log_likelihood[0]
    assert second.tolist() == pytest.approx(first.flip(0)[:9].tolist(), abs=1e-5)


@pytest.fixture
def computed(monkeypatch):
    """Counts the layers that run before the last one."""
    count = Counter()
    run = Decoder.layer

    def spied(self, weights, hidden):
        count[id(weights.qkv)] += 1
        return run(self, weights, hidden)

    monkeypatch.setattr(Decoder, "layer", spied)
    return count


def test_each_distinct_prefix_runs_once_in_a_batch(sources, computed):
    stacks = some_stacks(sources, 40)
    prefixes = {(each.embedding, each.path[:n]) for each in stacks for n in range(1, len(each.path))}
    scorer = StackScorer(bank_of(sources), [FEW], 0)
    assert len(pack(FEW)) == 1
    scorer.score(stacks, 0)
    assert computed.total() == len(prefixes) < sum(len(each.path) - 1 for each in stacks)


def test_a_prefix_is_kept_when_it_comes_for_the_second_time(sources, computed):
    scorer = StackScorer(bank_of(sources), [FEW], 64 * MB)
    ran = []
    for last in ("a3", "b3", "a2"):  # three stacks with the prefix a0 a1 a2, one call each
        before = computed.total()
        scorer.score([stack(sources, f"a0 a1 a2 {last}")], 0)
        ran.append(computed.total() - before)
    assert ran == [3, 3, 0]
    assert (scorer.cache.counts.lookups, scorer.cache.counts.hits) == (9, 3)


def tensor(kilobytes):
    return torch.zeros(kilobytes * 256)


def test_the_cache_keeps_to_its_budget_and_gives_up_the_least_recently_used():
    cache = PrefixCache(3 * 1024)
    for key in "abc":
        cache.offer(key, tensor(1))
        assert cache.get(key) is None
        cache.offer(key, tensor(1))
    assert cache.get("a") is not None  # now b is the oldest
    for _ in range(2):
        cache.offer("d", tensor(1))
    assert [key for key in "abcd" if cache.get(key) is not None] == ["a", "c", "d"]
    assert (cache.bytes, len(cache), cache.counts.evicted) == (3 * 1024, 3, 1)


def test_the_cache_takes_nothing_larger_than_its_budget():
    cache = PrefixCache(1024)
    for _ in range(3):
        cache.offer("large", tensor(2))
    assert (len(cache), cache.bytes) == (0, 0)


def test_the_cache_remembers_so_many_offers_and_no_more():
    cache = PrefixCache(MB, remembered=2)
    for key in ("a", "b", "c", "a"):  # c drives a out of the memory
        cache.offer(key, tensor(1))
    assert len(cache) == 0


def test_buckets_hold_every_row_once_and_keep_to_their_size():
    buckets = pack([*ROWS, Row(tuple(range(700)), (1,))], 128)
    assert sorted(int(i) for bucket in buckets for i in bucket.rows) == list(range(len(ROWS) + 1))
    assert max(bucket.tokens.numel() for bucket in buckets if len(bucket.rows) > 1) <= 128
    assert pack([]) == []


def test_processes_agree_with_this_process_and_with_themselves(sources):
    stacks = some_stacks(sources)
    local = LocalScorer([ROWS, FEW[:1], []], bank_of(sources), cache_bytes=MB)
    apart = ProcessScorer([ROWS, FEW[:1], []], workers=2, dtype=torch.float32, cache_bytes=MB)
    try:
        for checkpoint in sources.values():
            apart.add(checkpoint.source.digest, checkpoint)
        for row_set in (0, 1):  # the second has fewer rows than there are workers
            first, second = apart.score(stacks, row_set), apart.score(stacks[::-1], row_set)
            assert torch.equal(first.log_likelihood, second.log_likelihood.flip(0))
            here = local.score(stacks, row_set)
            np.testing.assert_allclose(first.log_likelihood, here.log_likelihood, atol=1e-6, rtol=0)
            assert torch.equal(first.greedy, here.greedy)
        assert apart.score(stacks, 2).log_likelihood.shape == (len(stacks), 0)
        assert apart.counts().lookups > 0

        apart.drop(sources["b"].source.digest)
        with pytest.raises(CheckpointError, match="must be one of the loaded sources"):
            apart.score([stack(sources, "b0 b1", "b", "b")], 0)
        only_a = [stack(sources, "a0 a1")]
        np.testing.assert_allclose(  # the error is behind us
            apart.score(only_a, 0).log_likelihood, local.score(only_a, 0).log_likelihood, atol=1e-6, rtol=0
        )
    finally:
        apart.close()
    assert not any(worker.process.is_alive() for worker in apart._workers)


def test_a_dropped_source_leaves_nothing_in_the_scorer_but_cached_states(sources):
    scorer = StackScorer(bank_of(sources), [FEW], MB)
    scorer.score([stack(sources, "b0 b1", "b", "b")], 0)
    scorer.drop(sources["b"].source.digest)
    assert sources["b"].source.digest not in scorer.bank
    assert not scorer._forwards
    assert scorer.bank.bytes == 0
