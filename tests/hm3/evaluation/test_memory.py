"""Where memory runs out, scoring goes on with less of it."""

import logging

import numpy as np
import pytest
import torch

from hm3.errors import ConfigurationError, HM3Error
from hm3.evaluation import ProcessScorer
from hm3.evaluation.memory import out_of_memory
from hm3.evaluation.process import RESTARTS, Budget, WorkerProcess
from hm3.evaluation.scorer import StackScorer
from hm3.layers import Decoder
from hm3.machine import Items, Machine
from hm3.objectives import Objective
from hm3.workbench import Workbench
from tests.tiny_stacks import MB, ROWS, bank_of, some_stacks, stack, two_sources
from tests.tiny_tasks import write_tasks

LONGEST = max(len(row.tokens) for row in ROWS)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return two_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture
def cramped(monkeypatch):
    """A decoder that runs out of memory above so many tokens; says how many it has run at most."""
    run, most = Decoder.layer, [0]

    def limit(tokens, error=torch.OutOfMemoryError):
        def tried(self, weights, hidden):
            size = hidden.shape[0] * hidden.shape[1]
            if size > tokens:
                raise error(f"not enough memory: {size} tokens")
            most[0] = max(most[0], size)
            return run(self, weights, hidden)

        monkeypatch.setattr(Decoder, "layer", tried)
        return most

    return limit


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError, MemoryError])
def test_buckets_are_halved_until_they_fit_and_the_new_size_is_told_once(sources, cramped, caplog, error):
    stacks = some_stacks(sources)
    expected = StackScorer(bank_of(sources), [ROWS], 0).score(stacks, 0)
    most = cramped(130, error)
    scorer = StackScorer(bank_of(sources), [ROWS], MB)
    with caplog.at_level(logging.WARNING):
        found = scorer.score(stacks, 0)
        said = len(caplog.records)
        scorer.score(stacks, 0)
    np.testing.assert_allclose(found.log_likelihood, expected.log_likelihood, atol=1e-5)
    assert torch.equal(found.greedy, expected.greedy)
    assert most[0] <= scorer.buckets.tokens <= 130 <= 512
    assert len(caplog.records) == said > 0
    assert caplog.messages[-1] == f"evaluator.batch_tokens: out of memory, going on with {scorer.buckets.tokens}"


def test_what_the_cache_holds_is_given_up_first(sources, cramped):
    scorer = StackScorer(bank_of(sources), [ROWS], 64 * MB)
    for _ in range(2):
        scorer.score([stack(sources, "a0 a1 a2")], 0)
    assert scorer.cache.bytes > 0
    seen = []
    clear = scorer.cache.clear
    scorer.cache.clear = lambda: (clear(), seen.append(scorer.cache.bytes))
    cramped(200)
    scorer.score([stack(sources, "b0 a1 a2")], 0)
    assert seen[0] == 0


def test_scores_after_a_retreat_are_those_of_a_smaller_setting_to_the_bit(sources, cramped):
    stacks = some_stacks(sources, 8)
    cramped(300)
    scorer = StackScorer(bank_of(sources), [ROWS], 0)
    found = scorer.score(stacks, 0).log_likelihood
    smaller = StackScorer(bank_of(sources), [ROWS], 0, batch_tokens=scorer.buckets.tokens)
    assert torch.equal(found, smaller.score(stacks, 0).log_likelihood)


def test_a_single_row_that_does_not_fit_is_one_line(sources, cramped):
    cramped(LONGEST - 1)
    scorer = StackScorer(bank_of(sources), [ROWS], MB)
    with pytest.raises(
        ConfigurationError, match=f"rows that fit into the memory of cpu .* got one of {LONGEST} tokens"
    ):
        scorer.score([stack(sources, "a0 a1 a2")], 0)
    assert scorer.cache.budget == 0  # it was tried without


def test_other_errors_are_nobodys_excuse(sources, monkeypatch):
    def broken(*_):
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(Decoder, "layer", broken)
    with pytest.raises(RuntimeError, match="shapes"):
        StackScorer(bank_of(sources), [ROWS], 0).score([stack(sources, "a0 a1")], 0)


def test_torch_says_so_in_these_words():
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 50)
    assert out_of_memory(raised.value)
    assert out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"))
    assert not out_of_memory(RuntimeError("expected scalar type"))
    assert not out_of_memory(ValueError("out of memory"))


def test_a_killed_process_is_replaced_by_a_smaller_one_that_knows_the_same(sources, caplog):
    scorer = ProcessScorer([ROWS], workers=2, dtype=torch.float32, cache_bytes=MB)
    stacks = some_stacks(sources, 6)
    try:
        for checkpoint in sources.values():
            scorer.add(checkpoint.source.digest, checkpoint)
        expected = scorer.score(stacks, 0)
        first, second = scorer._workers
        first.process.kill()
        with caplog.at_level(logging.WARNING):
            found = scorer.score(stacks, 0)
        np.testing.assert_allclose(found.log_likelihood, expected.log_likelihood, atol=1e-5)
        assert (first.budget.batch_tokens, second.budget.batch_tokens) == (256, 512)
        assert caplog.messages == [
            "evaluator.batch_tokens: a scoring process was killed, going on with 256 in a new one"
        ]
    finally:
        scorer.close()


@pytest.fixture
def worker():
    one = WorkerProcess([ROWS], torch.float32, Budget(MB, None, 512))
    yield one
    one.close()


def test_what_was_being_asked_is_asked_again(worker, sources):
    for checkpoint in sources.values():
        worker.send(("add", checkpoint.source.digest, checkpoint))
        worker.receive()
    worker.send(("drop", sources["b"].source.digest))
    worker.receive()
    worker.send(("score", [stack(sources, "a0 a1")], 0))
    worker.process.kill()
    log_likelihood, _ = worker.receive()
    assert np.isfinite(log_likelihood).all()
    worker.send(("score", [stack(sources, "b0 b1", "b", "b")], 0))
    assert "must be one of the loaded sources" in str(worker.receive())  # dropped before, and still


def test_a_process_that_is_killed_again_and_again_is_given_up(worker):
    for _ in range(RESTARTS):
        worker.process.kill()
        worker.send(("counts",))
        worker.receive()
    worker.process.kill()
    worker.send(("counts",))
    with pytest.raises(HM3Error, match=f"memory for its processes, got one killed {RESTARTS + 1} times"):
        worker.receive()


def test_a_process_that_ends_by_itself_is_not_started_again(worker):
    worker.process.terminate()
    worker.process.join()
    worker.send(("counts",))
    with pytest.raises(HM3Error, match="a scoring process has ended"):
        worker.receive()


@pytest.mark.parametrize(("stated", "decided"), [(None, 512), (64, 64)])
def test_the_setting_reaches_the_scorer(sources, tmp_path, stated, decided):
    machine = Machine(device="cpu", workers=0, batch_tokens=stated)
    objectives, include = [Objective("sums", "sums", "likelihood")], [write_tasks(tmp_path / "tasks")]
    store, items = tmp_path / "store.sqlite", Items(screen=4)
    with Workbench.open(
        sources.values(), objectives, include=include, store=store, machine=machine, items=items
    ) as bench:
        assert bench._benchmark.scorer._scorer.buckets.tokens == decided


def test_a_bucket_of_no_tokens_is_refused():
    with pytest.raises(ConfigurationError, match=r"evaluator\.batch_tokens: an integer of at least 1, got 0"):
        Machine(device="cpu", batch_tokens=0)
