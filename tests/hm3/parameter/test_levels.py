"""Preferences over objectives become weights over experts, and merged sources with readable names."""

import pytest

from hm3.errors import ConfigurationError
from hm3.objectives import Preference
from hm3.parameter import METHODS, Expert, NoMerge, PreferenceWeighted, expert_weights, lattice_anchors, rival_specs
from hm3.recipe import Source

BASE = Source("base", "0")
MATH, CODE, PROSE = (Source(name, name) for name in ("math_7b", "code_7b", "prose_7b"))
EXPERTS = (Expert(MATH, ("math",)), Expert(CODE, ("code",)), Expert(PROSE, ("translation",)))
OBJECTIVES = ("math", "code", "translation")


def preference(**weights):
    return Preference.of(weights, OBJECTIVES)


def test_none_adds_nothing():
    assert NoMerge()(BASE, EXPERTS, OBJECTIVES) == []


def test_the_anchors_are_a_lattice_without_its_corners():
    pairs = [anchor.weights for anchor in lattice_anchors(OBJECTIVES, 2)]
    assert pairs == [(0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
    assert len(lattice_anchors(OBJECTIVES, 3)) == 7
    assert [anchor.weights for anchor in lattice_anchors(["math"], 3)] == [(1.0,)]


def test_one_merge_for_each_anchor():
    sources = PreferenceWeighted(divisions=2, scales=[1.0])(BASE, EXPERTS, OBJECTIVES)
    names = ["merge_code50_translation50", "merge_math50_translation50", "merge_math50_code50"]
    assert [source.name for source in sources] == names
    spec = sources[2].merge
    assert (spec.method, spec.base, spec.parents) == ("dare_ties", BASE, (MATH, CODE))
    assert spec.weights == (0.5, 0.5)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_works_by_its_name_alone(method):
    sources = PreferenceWeighted(method)(BASE, EXPERTS, OBJECTIVES)
    assert {source.merge.method for source in sources} == {method}
    assert len(sources) == {"linear": 7, "slerp": 6, "model_stock": 4}.get(method, 14)


def test_each_anchor_at_each_scale():
    sources = PreferenceWeighted(anchors=[{"math": 1, "code": 1}], scales=[1.0, 1.5])(BASE, EXPERTS, OBJECTIVES)
    assert [source.name for source in sources] == ["merge_math50_code50", "merge_math50_code50_x1.5"]
    assert [dict(source.merge.settings)["lambda"] for source in sources] == [1.0, 1.5]


def test_a_method_without_a_scale_refuses_one():
    with pytest.raises(ConfigurationError, match="merge linear: settings are normalize, got lambda"):
        PreferenceWeighted("linear", scales=[1.5])(BASE, EXPERTS, OBJECTIVES)


def test_stated_anchors_and_settings():
    level = PreferenceWeighted("ties", {"density": 0.3}, [{"math": 3, "code": 1}, {"code": 1}], scales=[1.0])
    first, second = level(BASE, EXPERTS, OBJECTIVES)
    assert (first.name, second.name) == ("merge_math75_code25", "merge_code100")
    assert first.merge.parents == (MATH, CODE)
    assert first.merge.weights == (0.75, 0.25)
    assert dict(second.merge.settings)["density"] == 0.3


def test_names_are_new():
    experts = (Expert(Source("merge_math60", "x"), ("math",)), *EXPERTS[1:])
    level = PreferenceWeighted(anchors=[{"math": 0.601, "code": 0.399}, {"math": 0.599, "code": 0.401}], scales=[1.0])
    lead = [{"math": 3, "code": 1, "translation": 1}]
    assert PreferenceWeighted(anchors=lead)(BASE, experts, OBJECTIVES)[0].name == "merge_math60_2"
    assert [s.name for s in level(BASE, experts, OBJECTIVES)] == ["merge_math60_code40", "merge_math60_code40_2"]


def test_anchors_of_the_same_merge_give_one():
    level = PreferenceWeighted(anchors=[{"math": 1}, {"math": 2}], scales=[1.0])
    assert len(level(BASE, EXPERTS, OBJECTIVES)) == 1


def test_an_expert_for_several_objectives_sums_them():
    experts = (Expert(MATH, ("math", "code")), Expert(PROSE, ("translation",)))
    assert expert_weights(preference(math=0.5, code=0.2, translation=0.3), experts) == pytest.approx([0.7, 0.3])


def test_experts_for_one_objective_share_it():
    experts = (Expert(MATH, ("math",)), Expert(CODE, ("math",)), Expert(PROSE, ("translation",)))
    assert expert_weights(preference(math=0.8, translation=0.2), experts) == pytest.approx([0.4, 0.4, 0.2])


def test_an_expert_without_objectives_counts_only_with_a_weight():
    silent = (*EXPERTS, Expert(Source("chat", "chat")))
    assert expert_weights(preference(math=1), silent)[-1] == 0
    even = PreferenceWeighted(anchors=[{"math": 1, "code": 1, "translation": 1}])
    assert even(BASE, silent, OBJECTIVES)[0].merge.parents == (MATH, CODE, PROSE)
    given_one = (*EXPERTS, Expert(Source("chat", "chat"), weight=1.0))
    assert expert_weights(preference(math=1), given_one) == pytest.approx([0.5, 0, 0, 0.5])


def test_weight_that_nobody_serves_falls_away():
    known = Preference.of({"math": 0.5, "depth": 0.5}, (*OBJECTIVES, "depth"))
    assert expert_weights(known, EXPERTS) == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("level", "experts", "message"),
    [
        (PreferenceWeighted(), [Expert(MATH, ("maths",))], "expert math_7b: objectives are math, .*, got maths"),
        (PreferenceWeighted(), [Expert(MATH)], "an expert for some objective"),
        (PreferenceWeighted(divisions=1), EXPERTS, "parameter.divisions: .*, got 1"),
        (PreferenceWeighted("magic"), EXPERTS, "merge method: one of"),
        (PreferenceWeighted(anchors=[{"chess": 1}]), EXPERTS, "objectives are math, code, translation, got 'chess'"),
    ],
)
def test_refusals(level, experts, message):
    with pytest.raises(ConfigurationError, match=message):
        level(BASE, experts, OBJECTIVES)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
@pytest.mark.parametrize("at_least", [1, 30, 60])
def test_rivals(count, at_least):
    experts = [Source(f"e{i}", str(i + 1)) for i in range(count)]
    specs = rival_specs(BASE, experts, at_least)
    assert len(specs) >= at_least
    assert len({spec.digest for spec in specs}) == len(specs)
    assert specs == rival_specs(BASE, experts, at_least)
    assert {"linear", "task_arithmetic", "ties", "dare_ties", "della", "breadcrumbs", "model_stock"} <= {
        spec.method for spec in specs
    }
    assert all(max(spec.weights) < 1 for spec in specs if spec.method == "linear")


def test_rivals_for_three_experts():
    assert len(rival_specs(BASE, [MATH, CODE, PROSE])) == 31


def test_rivals_need_two_experts():
    with pytest.raises(ConfigurationError, match="at least 2 experts, got 1"):
        rival_specs(BASE, [MATH])
