import shlex
from dataclasses import replace

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from tests.fronts import front_of
from tests.report_page import PAIR, click_point, digest_of, favourite, set_weights, shown, wait_until

STAR_AT = """([x, y]) => {
  const { data } = document.querySelector("#pairs .js-plotly-plot");
  return data[3].x[0] === x && data[3].y[0] === y;
}"""


@pytest.mark.parametrize(
    "utility",
    [("tchebycheff", {"reference": 1.5, "rho": 0.05}), ("tchebycheff", {"reference": 2.0, "rho": 0.0}), ("linear", {})],
)
def test_sliders_choose_what_python_chooses(report, utility):
    front = front_of(3, candidates=60, utility=utility[0], utility_parameters=utility[1])
    page, rng = report(front), np.random.default_rng(1)
    chosen = set()
    for weights in [(100, 0, 0), (0, 1, 0), (0, 0, 7), (33, 33, 33), *rng.integers(0, 101, (6, 3)).tolist()]:
        set_weights(page, weights)
        expected = favourite(front, *weights)
        assert shown(page) == expected[:8]
        chosen.add(expected)
    assert len(chosen) >= 4


def test_weights_of_zero_choose_nothing_and_the_runs_own_come_back(report):
    front = front_of(2, candidates=20, seed=3)
    front = replace(front, chosen=favourite(front, 1, 1))
    page = report(front)
    assert shown(page) == front.chosen[:8]
    set_weights(page, (100, 0))
    assert shown(page) == favourite(front, 1, 0)[:8] != front.chosen[:8]
    set_weights(page, (0, 0))
    assert page.locator("#weightless").is_visible()
    assert shown(page) == favourite(front, 1, 0)[:8]
    page.click("#reset")
    assert shown(page) == front.chosen[:8]
    assert page.locator("#sliders output").all_inner_texts() == ["50 %", "50 %"]


def test_a_click_on_a_point_a_row_or_a_line_shows_that_candidate(report):
    front = front_of(2, candidates=5, seed=3)
    page = report(front)
    click_point(page, PAIR, 1, 2)
    assert shown(page) == digest_of(front, 2)
    assert page.locator("tr.selected").inner_text().startswith(digest_of(front, 2))
    page.locator("#candidate-table tbody tr", has_text=digest_of(front, 4)).click()
    assert shown(page) == digest_of(front, 4)
    wait_until(page, STAR_AT, list(front.candidates[4].scores.test.values()))
    click_point(page, "#parallel", 0, 3 * 4 + 1)  # three places on the axes and a gap for each candidate
    assert shown(page) == digest_of(front, 3)
    page.click("#back")
    assert shown(page) == favourite(front, 1, 1)[:8]


def test_the_keyboard_is_enough(report):
    front = front_of(2, candidates=5)
    page = report(front)
    page.focus("#weight-0")
    page.keyboard.press("End")
    assert page.locator("#sliders output").first.inner_text() == "67 %"
    order = page.locator("#candidate-table .digest").all_inner_texts()
    page.focus("#candidate-table input:checked")
    page.keyboard.press("ArrowDown")
    assert order.index(shown(page)) == 1
    page.keyboard.press("ArrowDown")
    assert order.index(shown(page)) == 2


def test_the_command_exports_that_candidate_of_that_run(report, tmp_path):
    folder = tmp_path / 'it\'s <b> "größe" & ${x}'
    front = front_of(2, candidates=3)
    page = report(front, folder=folder)
    page.locator("#candidate-table tbody tr", has_text=digest_of(front, 1)).click()
    words = shlex.split(page.inner_text("#command"))
    assert words[:3] == ["python", "-m", "hm3.export"]
    settings = {each.key_or_group: each.value() for each in OverridesParser.create().parse_overrides(words[3:])}
    assert str(settings["run"]).replace("\\$", "$") == str(folder)
    assert settings["candidate"] == front.candidates[1].recipe.digest[:12]
    assert settings["out"] == f"models/{settings['candidate']}"
    page.click("#copy")
    wait_until(page, "() => document.getElementById('copied').textContent")


def test_headings_sort_the_table(report):
    front = front_of(2, candidates=9)
    page = report(front)
    for worst_first in (False, True):
        page.locator("#candidate-table .sort", has_text="math").click()
        values = [float(row.split("\t")[3]) for row in page.locator("#candidate-table tbody tr").all_inner_texts()]
        assert values == sorted(values, reverse=not worst_first)
