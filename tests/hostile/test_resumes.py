"""What a run keeps to go on, or for later searches, damaged."""

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

from hypothesis import strategies as st

from agents import PPO, LocalSearch, RandomSearch
from envs.pool import Pool
from envs.preferences import Dirichlet
from envs.rules import PathRules
from envs.space import StackSpace
from hm3.composition.trained_on import check_pool, write_pool
from hm3.judged import Judged
from hm3.objectives import Linear, Normaliser, Scores
from hm3.recipe import Source
from hm3.resume_points import Point, ResumePoints
from hm3.runs import RunFolder
from tests.hostile.cases import damaged, hostile, refused_or_fine

NAMES = ("math", "code")
SPACE = StackSpace(Pool((Source("base", "d0"), Source("math", "d1")), (2, 2)), PathRules(2, 3))
UNIT = Normaliser(NAMES, (0.0, 0.0), (1.0, 1.0))
SEARCHERS = {
    "ppo": lambda: PPO(SPACE, UNIT, Linear(), Dirichlet(2), width=4, epochs=1, imitation=1),
    "local search": lambda: LocalSearch(SPACE, UNIT, Linear(), Dirichlet(2)),
    "random": lambda: RandomSearch(SPACE),
}


def judged():
    known = Judged(UNIT)
    identities = SPACE.pool.identities()
    known.add(identities, [Scores(NAMES, (0.5, 0.5)) for _ in identities])
    return known


@cache
def kept(kind):
    """A folder with ``resume/`` after two rollouts and ``pool.json``."""
    folder = Path(tempfile.mkdtemp(prefix="hm3-hostile-"))
    searcher, known, points = SEARCHERS[kind](), judged(), ResumePoints(folder / "resume")
    points.restore(searcher, known, set())
    for number in (1, 2):
        recipes = searcher.ask(4)
        scores = [Scores(NAMES, (0.1 * i, 0.3)) for i, _ in enumerate(recipes)]
        searcher.tell(recipes, scores)
        known.add(recipes, scores)
        points.write(Point(number, 1.5, 10), searcher, known, {f"exit {number}"})
    write_pool(SPACE, False, RunFolder(folder))
    return folder


FILES = ("pool.json", "resume/0002/point.json", "resume/0002/agent.json", "resume/judged-0001.json")
KINDS = st.sampled_from(list(SEARCHERS))


def go_on(kind, folder):
    """All that a run that goes on, and a later search, read of what was kept."""
    check_pool(SPACE, False, RunFolder(folder))
    searcher, known = SEARCHERS[kind](), judged()
    if ResumePoints(folder / "resume").restore(searcher, known, set()).rollout:
        assert len(known.candidates) == len(set(known.candidates)) >= 2
        assert len(searcher.ask(3)) == 3


def check_names_the_file(kind, folder, file):
    """Whatever goes wrong with a file, its name is in the line."""
    with refused_or_fine() as refusal:
        go_on(kind, folder)
    assert not refusal or file.name in refusal[0] or str(folder) in refusal[0]


def test_undamaged_it_goes_on():
    for kind in SEARCHERS:
        go_on(kind, kept(kind))


@hostile(20, 1000, KINDS, st.sampled_from(FILES), st.data())
def test_a_json_file_that_was_kept(kind, name, data):
    with tempfile.TemporaryDirectory() as copy:
        folder = Path(shutil.copytree(kept(kind), copy, dirs_exist_ok=True))
        whole = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(data.draw(damaged(whole))))
        check_names_the_file(kind, folder, folder / name)


@hostile(
    20,
    1000,
    KINDS,
    st.sampled_from([*FILES, "resume/0002/policy.zip"]),
    st.floats(0, 1),
    st.binary(min_size=1, max_size=60),
    st.sampled_from(["over", "over", "cut", "gone"]),
)
def test_bytes_of_a_file_that_was_kept(kind, name, at, noise, how):
    with tempfile.TemporaryDirectory() as copy:
        folder = Path(shutil.copytree(kept("ppo" if name.endswith("zip") else kind), copy, dirs_exist_ok=True))
        file, content = folder / name, (folder / name).read_bytes()
        begin = int(at * (len(content) - 1))
        if how == "gone":
            file.unlink()
        else:
            file.write_bytes(content[:begin] + (noise + content[begin + len(noise) :] if how == "over" else b""))
        check_names_the_file("ppo" if name.endswith("zip") else kind, folder, file)
