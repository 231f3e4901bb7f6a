from hm3.pages.training import curves

RECORDS = [
    {"step": 5, "offline/hypervolume_screen": 0.5, "offline/utility": -1, "agent/loss": None},
    {"step": 9, "offline/hypervolume_screen": 0.6, "agent/loss": 0.1, "note": "text", "flag": True},
    {"table": "front", "columns": ["a"], "rows": [[1]]},
    {"summary": {"hypervolume": 0.7}},
    {"hypervolume": 0.7},
]


def test_numbers_of_steps_become_curves_and_nothing_else_does():
    assert curves(RECORDS) == {
        "hypervolume": [{"name": "offline/hypervolume_screen", "x": [5, 9], "y": [0.5, 0.6]}],
        "search": [{"name": "offline/utility", "x": [5], "y": [-1]}],
        "agent": [{"name": "agent/loss", "x": [5, 9], "y": [None, 0.1]}],
    }


def test_nothing_logged_is_no_curve():
    assert not any(curves([]).values())
