import json

import pytest

from hm3.judged import Judged
from hm3.objectives import Candidate, Normaliser, Scores
from hm3.recipe import LayerRef, Recipe, Source
from hm3.resume_points import Point, ResumePoints, publish

UNIT = Normaliser(("math",), (0.0,), (1.0,))


class Counter:
    """A searcher whose state is a number."""

    def __init__(self, state=0):
        self.state = state

    def save(self, folder):
        (folder / "agent.json").write_text(json.dumps(self.state))

    def restore(self, folder):
        self.state = json.loads((folder / "agent.json").read_text())


def judged(*layers):
    known = Judged(UNIT)
    for layer in layers:
        recipe = Recipe.build([LayerRef("base", layer)], "base", "base", {"base": Source("base", "d0")})
        known.add([recipe], [Scores(("math",), (layer / 10,))])
    return known


def layers(known):
    return [candidate.recipe.path[0].layer for candidate in known.candidates.values()]


def write(folder, rollouts):
    """Rollout n judges layer n first; layer 0 is the source."""
    points, known = ResumePoints(folder), judged(0)
    points.restore(Counter(), known, set())
    for number in range(1, rollouts + 1):
        known.add(*zip(*[(one.recipe, one.scores) for one in judged(number).candidates.values()], strict=True))
        early = {str(each) for each in range(number)}
        points.write(Point(number, 10.0 * number, 100 * number), Counter(number), known, early)
    return points


def test_before_the_first_point_there_is_nothing_to_restore(tmp_path):
    searcher, known, early = Counter(7), judged(0), set()
    assert ResumePoints(tmp_path / "resume").restore(searcher, known, early) == Point(0, 0.0, 0)
    assert (searcher.state, layers(known)) == (7, [0])


def test_the_last_point_is_restored_with_all_that_was_judged_in_its_order(tmp_path):
    write(tmp_path, 3)
    searcher, known, early = Counter(), judged(0), set()
    assert ResumePoints(tmp_path).restore(searcher, known, early) == Point(3, 30.0, 300)
    assert (searcher.state, layers(known), early) == (3, [0, 1, 2, 3], {"0", "1", "2"})
    assert list(known.candidates.values()) == list(judged(0, 1, 2, 3).candidates.values())
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["0003"]


def test_what_a_kill_leaves_is_no_point(tmp_path):
    write(tmp_path, 2)
    (tmp_path / "0003").mkdir()
    (tmp_path / ".0003.partial-abcd").mkdir()
    (tmp_path / "judged-0003.json").write_text("[]")
    points, searcher, known = ResumePoints(tmp_path), Counter(), judged(0)
    assert points.restore(searcher, known, set()).rollout == 2
    points.write(Point(3), Counter(3), known, set())
    assert points.last.rollout == 3
    assert not list(tmp_path.glob(".*partial*"))


def test_training_ends_once(tmp_path):
    points = write(tmp_path, 1)
    assert not points.trained
    points.finish_training()
    assert ResumePoints(tmp_path).trained
    points.clear()
    assert not tmp_path.exists()


def test_a_searcher_is_published_file_by_file(tmp_path):
    publish(Counter(5), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["agent.json"]
    assert (tmp_path / "agent.json").read_text() == "5"


def test_candidates_come_back_bit_for_bit():
    (candidate,) = judged(3).candidates.values()
    odd = Candidate(candidate.recipe, Scores(("math",), (0.1 + 0.2,), valid=False))
    assert Candidate.from_json(json.loads(json.dumps(odd.to_json()))) == odd
    with pytest.raises(KeyError):
        Candidate.from_json({"recipe": candidate.recipe.to_json()})
