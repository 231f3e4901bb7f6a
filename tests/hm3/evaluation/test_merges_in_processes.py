"""Merges travel to scoring processes with their weights, and leave nothing behind."""

import os
from pathlib import Path

import pytest
import torch

from hm3.evaluation import LocalScorer, ProcessScorer
from hm3.parameter import merge_in_memory, specify
from hm3.recipe import Recipe, Source
from tests.tiny_stacks import FEW, bank_of, two_sources


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return two_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture
def scorer(sources):
    scorer = ProcessScorer([FEW], workers=1, dtype=torch.float32, cache_bytes=0)
    for checkpoint in sources.values():
        scorer.add(checkpoint.source.digest, checkpoint)
    yield scorer
    scorer.close()


def merged(sources, share):
    parents = [each.source for each in sources.values()]
    spec = specify("linear", base=None, parents=parents, weights=(share, 1 - share))
    return merge_in_memory(Source.merged("merged", spec), sources)


def scores(scorer, model):
    return scorer.score([Recipe.identity(model.source, 4).content], 0).log_likelihood


def expected(sources, model):
    scorer = LocalScorer([FEW], bank_of(sources), cache_bytes=0)
    scorer.add(model.source.digest, model)
    return scores(scorer, model)


def open_files(process):
    """How many a process has."""
    return sum(1 for _ in Path(f"/proc/{process}/fd").iterdir())


def shared_memory(*processes):
    """What is named after these processes there, as torch and Python name what they share."""
    names = [entry.name for entry in Path("/dev/shm").iterdir()]
    return [name for name in names if any(str(process) in name for process in processes)]


def test_fifty_merges_leave_no_file_no_shared_memory_and_no_weights(sources, scorer):
    ours, theirs, counts = os.getpid(), scorer._workers[0].process.pid, []
    idle = open_files(ours)
    for number in range(51):
        model = merged(sources, number / 50)
        scorer.add(model.source.digest, model)
        found = scores(scorer, model)
        counts.append((open_files(ours), open_files(theirs), shared_memory(ours, theirs)))
        scorer.drop(model.source.digest)
        counts.append((open_files(ours), open_files(theirs), shared_memory(ours, theirs)))
        assert sorted(scorer._workers[0]._known) == sorted(each.source.digest for each in sources.values())
    assert all(count == counts[0] for count in counts)
    assert counts[0][2] == []
    assert torch.equal(found, expected(sources, model))
    scorer.close()
    assert open_files(ours) < idle


def test_a_process_that_was_killed_gets_the_merge_again_though_its_weights_are_used_up_here(sources, scorer):
    model = merged(sources, 0.25)
    scorer.add(model.source.digest, model)
    first = scores(scorer, model)
    for name in model.tensor_names:
        model.tensor(name)
    scorer._workers[0].process.kill()
    assert torch.equal(scores(scorer, model), first)
    assert torch.equal(first, expected(sources, model))
