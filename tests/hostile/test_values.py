"""Recipes, fronts, preferences and a run's records, damaged."""

import json
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from omegaconf import OmegaConf

from hm3.command import preference_weights
from hm3.evaluation.store import EvaluationStore
from hm3.objectives import Preference, Tchebycheff
from hm3.recipe import LayerRef, MergeSpec, Recipe, Source
from hm3.runs import RunFolder, front_from_json
from hm3.tracking import read_metrics
from tests.hm3.test_runs import front_file
from tests.hostile.cases import NUMBERS, TEXTS, VALUES, damaged, hostile, refused_or_fine

BASE, MATH = Source("base", "d0"), Source("math", "d1")
SPEC = MergeSpec("ties", BASE, (MATH,), (1.0,), (("density", 0.5),))
RECIPE = Recipe.build(
    [LayerRef("base", 0), LayerRef("merge", 1), LayerRef("base", 1)],
    "base",
    "merge",
    {"base": BASE, "merge": Source.merged("merge", SPEC)},
)
NAMES = ("math", "code", "ä ö")
MEASURES = {f"{number:064}": {"acc": [0.5, number]} for number in range(5)}


@hostile(200, 3000, damaged(RECIPE.to_json()))
def test_a_recipe(value):
    with refused_or_fine():
        recipe = Recipe.from_json(value)
        assert recipe.digest == RECIPE.digest  # what is read has the content that its digest names
        assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


@hostile(100, 2000, damaged(front_file().to_json()))
def test_a_front(value):
    with refused_or_fine():
        front = front_from_json(value)
        assert front_from_json(json.loads(json.dumps(front.to_json()))) == front
        assert front.chosen_member in front.candidates


@hostile(100, 1000, st.binary(max_size=40), st.integers(0, 10**6))
def test_bytes_in_a_run_folder(noise, at):
    whole = json.dumps(front_file().to_json()).encode()
    with tempfile.TemporaryDirectory() as folder:
        run, at = RunFolder(Path(folder)), at % len(whole)
        run.front.write_bytes(whole[:at] + noise + whole[at + len(noise) // 2 :])
        run.metrics.write_bytes(b'{"step": 1}\n' + noise + b"\n")
        with refused_or_fine():
            assert run.read_front().candidates
        with refused_or_fine():
            assert all(isinstance(record, dict) for record in read_metrics(run.metrics))


@hostile(40, 1000, st.binary(min_size=1, max_size=200), st.booleans())
def test_bytes_where_a_store_should_be(noise, like):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "store.sqlite"
        file.write_bytes(b"SQLite format 3\0" + noise if like else noise)
        before = file.read_bytes()
        with refused_or_fine() as refusal:
            EvaluationStore(file).close()
        assert refusal
        assert file.read_bytes() == before
        assert list(Path(folder).iterdir()) == [file]


@cache
def store_bytes():
    """A store of five measures."""
    file = Path(tempfile.mkdtemp(prefix="hm3-hostile-")) / "store.sqlite"
    with EvaluationStore(file) as store:
        store.write(MEASURES)
    return file.read_bytes()


@hostile(40, 1000, st.floats(0, 1), st.binary(min_size=1, max_size=60))
def test_bytes_in_a_store(at, noise):
    whole = store_bytes()
    begin = int(at * (len(whole) - 1))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "store.sqlite"
        file.write_bytes(whole[:begin] + noise + whole[begin + len(noise) :])
        with refused_or_fine(), EvaluationStore(file) as store:
            assert all(MEASURES[key] == value for key, value in store.read(list(MEASURES)).items())
            store.write({"another": {"acc": [1.0]}})


@hostile(200, 2000, st.dictionaries(st.one_of(st.sampled_from(NAMES), TEXTS), st.one_of(NUMBERS, VALUES), max_size=4))
def test_a_preference(weights):
    with refused_or_fine():
        preference = Preference.of(weights, NAMES)
        assert abs(sum(preference.weights) - 1) < 1e-9
        assert min(preference.weights) >= 0
        assert -1.6 < Tchebycheff()(np.full(3, 0.5), np.array(preference.weights)) < 0


@hostile(
    200,
    2000,
    st.sampled_from(["+preference.weights=", "preference.weights=", "preference.weights.math=", "~preference.weights"]),
    TEXTS,
)
def test_the_words_for_a_preference(key, text):
    with refused_or_fine():
        config = OmegaConf.create({"preference": {"weights": {"math": 0.5, "code": 0.5}}})
        weights = preference_weights(config, [key + text])
        assert sum(Preference.of(weights, NAMES).weights) > 0
