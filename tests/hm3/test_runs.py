import copy
import json
from pathlib import Path

import jsonschema
import pytest

from hm3.errors import ConfigurationError
from hm3.evidence import Interval
from hm3.objectives import Normaliser, Objective, Preference
from hm3.recipe import LayerRef, MergeBlock, MergeSpec, Recipe, Source
from hm3.runs import (
    FrontFile,
    Member,
    Model,
    RunFolder,
    SplitScores,
    front_from_json,
    front_hypervolume,
    versions_in_use,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "hm3" / "front.schema.json").read_text())
MATH, CODE = Source("math", "d-math"), Source("code", "d-code")
BLOCK = MergeBlock(2, (0.4, 0.6), (("density", 0.7),))
MERGE = MergeSpec("dare_ties", None, (MATH, CODE), (0.7, 0.3), (("density", 0.5), ("int8", True)), (BLOCK,))
MERGED = Source.merged("merge", MERGE)


def scores(a, b):
    return SplitScores({"math": a, "code": b}, {"math": a / 2, "code": b / 2})


def front_file(**changes):
    sources = {source.name: source for source in (MATH, CODE, MERGED)}
    path = [LayerRef("math", 0), LayerRef("merge", 1)]
    members = (
        Member(Recipe.identity(MATH, 3), scores(0.8, 0.25), {"exact_match": 0.5}),
        Member(Recipe.build(path, "math", "code", sources), scores(0.4, 0.5)),
    )
    normaliser = Normaliser(("math", "code"), (0.0, 0.0), (0.8, 0.5))
    values = {
        "objectives": (Objective("math", "zoo_math", "p", 0.0), Objective("code", "zoo_code", "p", 0.0)),
        "normaliser": normaliser,
        "utility": "tchebycheff",
        "utility_parameters": {"reference": 1.5, "rho": 0.05},
        "preference": Preference.of({"math": 3, "code": 1}, ("math", "code")),
        "hypervolume": front_hypervolume(members, normaliser, "test"),
        "hypervolume_ratio": Interval(1.2, 1.1, 1.3),
        "hypervolume_search": front_hypervolume(members, normaliser, "search"),
        "evaluations": 120,
        "seed": 7,
        "sources": (Model("math", 3, scores(0.8, 0.25)), Model("code", 3, scores(0.1, 0.5), {"pass@1": 0.1})),
        "rivals": (Model("dare_ties (0.7, 0.3)", 3, scores(0.3, 0.3), {}, MERGE),),
        "candidates": members,
        "chosen": members[0].recipe.digest,
        "versions": {"hm3": "0.1.0"},
    }
    return FrontFile(**values | changes)


def without_test(member):
    return Member(member.recipe, SplitScores(member.scores.search))


@pytest.fixture
def written(tmp_path):
    RunFolder(tmp_path / "run").write_front(front_file())
    return json.loads((tmp_path / "run" / "front.json").read_text())


def test_what_is_written_is_read_back(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_front(front_file())
    assert folder.read_front() == front_file()
    assert folder.read_front().chosen_member.recipe == Recipe.identity(MATH, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["front.json"]


def test_written_files_fit_the_schema(written):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(written, SCHEMA)
    unjudged = front_file(
        hypervolume=None, hypervolume_ratio=None, candidates=tuple(map(without_test, front_file().candidates))
    )
    jsonschema.validate(json.loads(json.dumps(unjudged.to_json())), SCHEMA)
    assert front_from_json(unjudged.to_json()) == unjudged


def test_the_agreed_keys(written):
    assert written["hypervolume_search"] == pytest.approx(1 * 0.5 + 0.5 * 0.5)
    assert written["hypervolume"] == pytest.approx(written["hypervolume_search"] / 4)
    assert written["reference_point"] == [0, 0]
    assert written["normalisation"] == {"floors": {"math": 0, "code": 0}, "bests": {"math": 0.8, "code": 0.5}}
    assert written["utility"] == {"name": "tchebycheff", "parameters": {"reference": 1.5, "rho": 0.05}}
    assert written["preference"] == {"math": 0.75, "code": 0.25}
    assert written["candidates"][0]["scores"]["test"] == {"math": 0.4, "code": 0.125}
    assert written["rivals"][0]["merge"]["method"] == "dare_ties"
    assert "merge" not in written["sources"][0]


def test_hypervolume_waits_until_all_are_judged():
    members = front_file().candidates
    assert front_hypervolume([members[0], without_test(members[1])], front_file().normaliser, "test") is None


DAMAGES = [
    (lambda value: value.pop("seed"), "front.json: needs the key 'seed'"),
    (lambda value: value.update(format=2), "format: this version reads 1, got 2"),
    (lambda value: value.update(evaluations="many"), "evaluations: must be of type int, got 'many'"),
    (lambda value: value.update(evaluations=True), "evaluations: must be of type int, got 'True'"),
    (lambda value: value.update(candidates={}), "candidates: must be of type list, got"),
    (lambda value: value.update(chosen="abc"), "chosen: the digest of a candidate, got 'abc'"),
    (lambda value: value["preference"].pop("math"), "preference: one value each for math, code, got code"),
    (lambda value: value["sources"][1].pop("depth"), r"sources\[1\]: needs the key 'depth'"),
    (lambda value: value["sources"][1]["scores"]["test"].update(math=None), r"test.math: must be a finite number, got"),
    (
        lambda value: value["candidates"][1]["recipe"].update(seam="x"),
        r"candidates\[1\].recipe: cannot be read, .*digest",
    ),
    (lambda value: value["candidates"][1]["recipe"].pop("path"), r"candidates\[1\].recipe: cannot be .* no 'path'"),
    (lambda value: value["candidates"][0].update(depth=4), r"candidates\[0\]: digest and depth must be the recipe's"),
    (lambda value: value["rivals"][0].update(merge=[]), r"rivals\[0\].merge: cannot be read"),
]


@pytest.mark.parametrize(("damage", "line"), DAMAGES)
def test_an_invalid_file_is_one_line_that_says_where(written, damage, line):
    value = copy.deepcopy(written)
    damage(value)
    with pytest.raises(ConfigurationError, match=line) as caught:
        front_from_json(value)
    assert "\n" not in str(caught.value)


def test_no_run_and_no_json_are_one_line(tmp_path):
    with pytest.raises(ConfigurationError, match=r"run: a run folder with a front.json, got .*No such file"):
        RunFolder(tmp_path / "none").read_front()
    (tmp_path / "front.json").write_text('{"format":')
    with pytest.raises(ConfigurationError, match="must be JSON, got"):
        RunFolder(tmp_path).read_front()


def test_versions_of_what_is_installed():
    assert versions_in_use(["numpy", "no-such-package"]).keys() == {"numpy"}
