"""What ``pool.json`` says of a source that follows each preference."""

from dataclasses import replace

import pytest

from envs import table_space
from hm3.composition.trained_on import check_pool, origins, write_pool
from hm3.errors import ConfigurationError
from hm3.runs import RunFolder
from hm3.sealed import unsealed
from tests.conditioned_table import NAME, conditioned_space, follower

SPACE = conditioned_space()
OTHERS = "sources and rules as when .* was trained, got others"


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path)
    write_pool(SPACE, False, folder)
    return folder


def test_the_same_pool_is_found_again(run):
    check_pool(conditioned_space(), False, run)
    assert unsealed(run.path / "pool.json")["conditioned"] == NAME


def test_another_source_of_its_name_is_told_apart(run):
    other = replace(SPACE.pool, sources=(*SPACE.pool.sources[:-1], follower((0.5, 0.25, 0.25))))
    with pytest.raises(ConfigurationError, match=OTHERS):
        check_pool(replace(SPACE, pool=other), False, run)


def test_a_source_that_follows_no_preference_is_told_apart(run):
    with pytest.raises(ConfigurationError, match=OTHERS):
        check_pool(replace(SPACE, pool=replace(SPACE.pool, conditioned=None)), False, run)


def test_its_experts_are_among_what_the_run_was_given(run):
    assert {"base", "x", "y", "z"} <= set(origins(run))


def test_a_pool_without_one_does_not_speak_of_it(tmp_path):
    write_pool(table_space(4), False, RunFolder(tmp_path))
    assert "conditioned" not in unsealed(tmp_path / "pool.json")
