"""A specification is complete, and says what is wrong in one line."""

import pytest
from mergekit import merge_methods

from hm3.errors import ConfigurationError
from hm3.parameter import METHODS, configuration, specify
from hm3.parameter.methods import SEED
from hm3.recipe import MergeSpec, Source

BASE, MATH, CODE = Source("base", "0"), Source("math", "1"), Source("code", "2")


def spec(method="dare_ties", base=BASE, parents=(MATH, CODE), weights=(0.6, 0.4), **settings):
    return specify(method, base=base, parents=parents, weights=weights, settings=settings)


@pytest.mark.parametrize("method", METHODS)
def test_parameters_are_mergekit_s(method):
    row = METHODS[method]
    theirs = {parameter.name for parameter in merge_methods.get(method).spec.parameters}
    inert = {"density", "rescale"} if method == "task_arithmetic" else set()  # it drops nothing
    assert set(row.parameters) - {SEED} == theirs - {"weight", "t", "int8_mask"} - inert
    assert row.weighted == bool(theirs & {"weight", "t"})


@pytest.mark.parametrize("method", METHODS)
def test_normalize_and_rescale_default_as_in_mergekit(method):
    theirs = {parameter.name: parameter.default for parameter in merge_methods.get(method).spec.parameters}
    for name in {"normalize", "rescale", "lambda", "filter_wise"} & set(METHODS[method].parameters):
        assert METHODS[method].parameters[name].default == theirs[name]


def test_every_setting_is_stated():
    assert dict(spec().settings) == {"density": 0.9, "lambda": 1.0, "normalize": False, "rescale": True, "seed": 0}


def test_a_stated_default_is_the_same_merge():
    assert spec(density=0.9, seed=0).digest == spec().digest
    assert spec(density=0.4).digest != spec().digest
    assert spec(seed=1).digest != spec().digest


def test_weights_that_say_the_same_are_the_same_merge():
    assert spec("slerp", weights=(3, 1)).digest == spec("slerp", weights=(0.75, 0.25)).digest
    assert spec("model_stock", weights=(3, 1)).digest == spec("model_stock", weights=(1, 1)).digest


def test_it_survives_json():
    full = spec("della", density=[0.5, 0.4])
    assert MergeSpec.from_json(full.to_json()) == full


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "magic"}, "merge method: one of dare_ties, .*, got 'magic'"),
        ({"base": None}, "merge dare_ties: a base source, got none"),
        ({"method": "slerp", "parents": (MATH,), "weights": (1,)}, "slerp: exactly 2 parents, got 1"),
        ({"method": "slerp", "parents": (MATH, CODE, BASE), "weights": (1, 1, 1)}, "slerp: exactly 2 parents, got 3"),
        ({"method": "model_stock", "parents": (MATH,), "weights": (1,)}, "model_stock: at least 2 parents, got 1"),
        ({"parents": (), "weights": ()}, "dare_ties: at least 1 parents, got 0"),
        ({"parents": (MATH, MATH)}, "parents that differ from each other and the base, got math, math"),
        ({"parents": (MATH, BASE)}, "parents that differ from each other and the base"),
        ({"weights": (1,)}, "one weight for each of 2 parents, got 1"),
        ({"weights": (1, float("nan"))}, "weights that are finite"),
        ({"method": "linear", "weights": (1, -1)}, "linear: weights that do not sum to 0"),
        ({"method": "slerp", "weights": (0, 0)}, "slerp: weights of at least 0, one above"),
        ({"gamma": 0.1}, "settings are normalize, rescale, lambda, density, seed, got gamma"),
        ({"method": "slerp", "density": 1.0}, "settings are none, got density"),
        ({"density": 1.5}, "density is from 0 to 1, got 1.5"),
        ({"density": True}, "density is a float, got True"),
        ({"density": "much"}, "density is a float, got 'much'"),
        ({"density": None}, "density is a float, got None"),
        ({"density": [0.5]}, "density takes one value for each of 2 parents"),
        ({"lambda": [1.0, 2.0]}, "lambda takes one value, got"),
        ({"lambda": float("inf")}, "lambda is finite, got inf"),
        ({"normalize": 1}, "normalize is a bool, got 1"),
        ({"seed": -1}, "seed is from 0 to"),
        ({"method": "della", "density": 0.1}, r"density ± epsilon within \(0, 1\), got 0.1 ± 0.15"),
    ],
)
def test_refusals(changes, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        spec(**changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("base", [BASE, None])
@pytest.mark.parametrize("method", METHODS)
def test_the_yaml_always_names_a_base(method, base, tmp_path):
    if METHODS[method].needs_base and base is None:
        return
    data = configuration(spec(method, base=base), {name: tmp_path / name for name in ("base", "math", "code")})
    expected = "math" if base is None or method == "slerp" else "base"
    assert data["base_model"] == str(tmp_path / expected)
    assert data["dtype"] == "bfloat16"


def test_signs_that_mergekit_reads_as_revision_or_adapter(tmp_path):
    paths = {"base": tmp_path / "a@b", "math": tmp_path / "a+b", "code": tmp_path / "c"}
    data = configuration(spec(), paths)
    assert data["base_model"] == {"model": {"path": str(tmp_path / "a@b")}}
