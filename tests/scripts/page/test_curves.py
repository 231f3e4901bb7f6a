"""Drawings of the contest."""

from scripts.page.curves import draw

ROW = [[4, 0.6, 0.6, 0.6], [10, 0.8, 0.7, 0.9], [100, 0.95, 0.94, 0.96]]
RESULT = {
    "details": {
        "methods": {"local": {"title": "local search"}, "hm3": {"title": "HM3"}},
        "curves": {"local": {"nadir": ROW}, "hm3": {"nadir": ROW[:2]}},
    }
}


def test_the_same_result_gives_the_same_bytes():
    assert draw(RESULT) == draw(RESULT)


def test_every_method_is_named():
    drawn = draw(RESULT)
    assert drawn.startswith("<?xml")
    assert "local search" in drawn
    assert "HM3" in drawn
