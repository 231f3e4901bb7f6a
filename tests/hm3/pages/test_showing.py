from dataclasses import replace

import pytest

from hm3.runs import SplitScores
from tests.fronts import front_of
from tests.report_page import METRICS, PAIR, click_point, digest_of, overflow, wait_until

NASTY = ('<script>alert("1")</script>', "Größe & 'Güte' </script>", "%{x}<b>bold</b>")


@pytest.mark.parametrize(("objectives", "pairs"), [(1, 1), (2, 1), (3, 3), (5, 10)])
@pytest.mark.parametrize("width", [390, 1400])
def test_a_page_shows_any_number_of_objectives(report, objectives, pairs, width):
    page = report(front_of(objectives, candidates=6), width=width)
    assert page.locator("#pairs .main-svg .scatterlayer").count() == pairs
    assert page.locator("#parallel .xtick").count() == objectives + 1
    assert page.locator("#sliders input").count() == objectives
    assert page.locator("#candidate-table tbody tr").count() == 6
    assert overflow(page) == 0


def test_a_stack_is_a_strip_of_its_layers_hosts_and_seams(report):
    front = front_of(2, candidates=4, depth=9)
    page = report(front)
    for i, member in enumerate(front.candidates):
        page.locator("#candidate-table tbody tr", has_text=digest_of(front, i)).click()
        recipe, cells = member.recipe, page.locator("#strip .layer")
        titles = [cell.get_attribute("title") for cell in cells.all()]
        assert titles[0] == f"embedding: {recipe.embedding_host}"
        assert titles[-1] == f"head: {recipe.head_host}"
        assert [title.removesuffix(", after a seam") for title in titles[1:-1]] == [
            f"{ref.source}, layer {ref.layer}" for ref in recipe.path
        ]
        marked = [i for i, cell in enumerate(cells.all()[1:-1]) if "seam" in cell.get_attribute("class").split()]
        assert tuple(marked) == recipe.seams


def test_scores_are_shown_raw_and_normalised_on_both_splits(report):
    front = front_of(2, candidates=3)
    page = report(front)
    scores = front.candidates[0].scores
    assert page.locator("#scores tr").first.locator("td").all_inner_texts() == [
        f"{value:.3f}".replace("-", "−")
        for raw in (scores.test["math"], scores.search["math"])
        for value in (raw, (raw - 0.05) / 0.75)
    ]
    page.get_by_label("search split").check()
    page.get_by_label("normalised").check()
    assert scores.search["math"] < 0.05  # below the floor
    wait_until(page, "() => document.querySelector('#pairs .js-plotly-plot').data[1].x[0] < 0")
    expected = [(member.scores.search["math"] - 0.05) / 0.75 for member in front.candidates]
    assert page.locator(PAIR).evaluate("plot => plot.data[1].x") == pytest.approx(expected)


def test_names_are_text_wherever_they_stand(report, tmp_path):
    front = front_of(NASTY, candidates=5, sources=("base", *NASTY))
    page = report(front, folder=tmp_path / "<" / "script>alert('2')")
    assert page.locator("#sliders label").all_inner_texts() == list(NASTY)
    assert page.locator("#pairs .xtitle").first.text_content() == NASTY[0]
    assert page.locator("#parallel .xtick").all_text_contents()[1:] == list(NASTY)
    assert page.locator("#signs li").all_text_contents()[3:6] == [f"■{NASTY[0]}", f"▲{NASTY[1]}", f"◆{NASTY[2]}"]
    assert "script>alert('2')" in page.inner_text(".lead")
    assert page.locator("b").count() == 0
    click_point(page, PAIR, 1, 2)
    assert NASTY[2] in page.locator(f"{PAIR} >> .hoverlayer").text_content()


@pytest.mark.parametrize("width", [390, 1400])
def test_plots_stay_in_their_places(report, width):
    page = report(front_of(3, candidates=6), width=width)
    page.locator("#pairs .main-svg").last.wait_for()
    places = [each.bounding_box() for each in page.locator("#pairs > .plot").all()]
    drawn = [each.bounding_box() for each in page.locator("#pairs > .plot .svg-container").all()]
    assert len(places) == len(drawn) == 3
    assert [round(box["width"]) for box in drawn] == [round(box["width"]) for box in places]


@pytest.mark.parametrize("width", [390, 1400])
def test_sixty_layers_and_two_hundred_candidates_fit(report, width):
    page = report(front_of(5, candidates=200, depth=60), width=width)
    assert overflow(page) == 0
    assert page.locator("#strip .layer").count() == 62
    card = page.locator("#candidate").bounding_box()
    ends = [cell.bounding_box() for cell in page.locator("#strip .layer").all()]
    assert all(card["x"] <= box["x"] and box["x"] + box["width"] <= card["x"] + card["width"] for box in ends)
    assert min(box["width"] for box in ends) >= 20
    assert page.locator("#candidate-table tbody tr").count() == 200


def test_long_names_do_not_widen_a_phones_page(report):
    names = tuple(f"{'an-objective-with-a-very-long-name' * 3}-{i}" for i in range(3))
    page = report(front_of(names, candidates=3, sources=names), width=390)
    assert overflow(page) == 0


def test_what_a_killed_run_logged_is_drawn(report):
    page = report(front_of(2), METRICS + '{"step": 30, "offline/hyperv')
    assert page.locator("#hypervolume").evaluate("plot => plot.data[0].x") == [5, 10, 20]
    page.click("#agent summary")
    page.wait_for_selector("#agent-curves .main-svg")


def test_a_run_that_logged_nothing_says_so(report):
    page = report(front_of(2), metrics="")
    assert "Nothing was logged" in page.inner_text("#training")


def test_a_front_that_no_test_split_judged_is_shown_on_the_search_split(report):
    front = front_of(2, candidates=4)
    members = [replace(each, scores=SplitScores(each.scores.search)) for each in front.candidates]
    page = report(replace(front, candidates=tuple(members), hypervolume=None, hypervolume_ratio=None))
    assert page.get_by_label("test split").is_disabled()
    assert page.get_by_label("search split").is_checked()
    assert page.locator(PAIR).evaluate("plot => plot.data[1].x") == [each.scores.search["math"] for each in members]
