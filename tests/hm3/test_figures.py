import numpy as np
import pytest
from matplotlib import image
from rich.console import Console

from hm3.errors import OutputError
from hm3.figures import Entry, Palette, closing_table, closing_text, draw_front
from hm3.figures.front import _palette
from hm3.objectives import Candidate, Normaliser, Preference, Scores, Tchebycheff
from hm3.recipe import LayerRef, MergeSpec, Recipe, Source, digest_of

NAMES = ("math", "code", "translation", "safety", "depth", "chat", "law")


def world(count, objectives, depth, seed=0):
    rng = np.random.default_rng(seed)
    names = NAMES[:objectives]
    sources = {name: Source(name, digest_of(name)) for name in ("base", "math", "code", "translation")}
    merge = MergeSpec("dare_ties", sources["base"], (sources["math"], sources["code"]), (0.7, 0.3))
    pool = sources | {"merge-1": Source.merged("merge-1", merge)}

    def vector():
        return Scores(names, tuple(rng.random(objectives).tolist()))

    def recipe(extra):
        path = [LayerRef(str(rng.choice(list(pool))), layer) for layer in range(depth - extra % 3)]
        return Recipe.build(path, str(rng.choice(list(pool))), "base", pool)

    candidates = [Candidate(recipe(i), vector()) for i in range(count)]
    return candidates, {name: vector() for name in sources}, {f"m{i}": vector() for i in range(5)}


@pytest.mark.parametrize(("count", "objectives", "depth"), [(1, 3, 8), (12, 2, 8), (40, 4, 60), (3, 7, 4), (2, 1, 5)])
def test_fronts_of_all_sizes_are_drawn(tmp_path, count, objectives, depth):
    candidates, sources, merges = world(count, objectives, depth)
    path = tmp_path / "front.png"
    draw_front(path, candidates=candidates, chosen=candidates[-1].recipe.digest, sources=sources, merges=merges)
    pixels = image.imread(path)
    assert pixels.shape[1] >= 1600
    assert pixels.std() > 0.05
    border = np.concatenate([pixels[:8].ravel(), pixels[-8:].ravel(), pixels[:, :8].ravel(), pixels[:, -8:].ravel()])
    assert (border == 1).all()  # nothing is cut off at the edge


def test_a_picture_needs_no_merges_and_is_the_same_twice(tmp_path):
    candidates, sources, _ = world(2, 2, 4)
    for name in ("a.png", "b.png"):
        draw_front(tmp_path / name, candidates=candidates, chosen=candidates[0].recipe.digest, sources=sources)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_folder_that_cannot_be_written_is_an_output_error(tmp_path):
    candidates, sources, _ = world(1, 2, 4)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="must be writable"):
        draw_front(
            tmp_path / "file" / "f.png", candidates=candidates, chosen=candidates[0].recipe.digest, sources=sources
        )


def test_colours_tell_sources_apart_and_merged_ones_are_hatched():
    candidates, sources, _ = world(12, 2, 8)
    palette = _palette(candidates, sources)
    assert palette.plain == ("base", "math", "code", "translation")
    assert palette.merged == ("merge-1",)
    looks = [(palette.colour(name), palette.hatch(name)) for name in (*palette.plain, *palette.merged)]
    assert len(set(looks)) == 5
    assert palette.hatch("merge-1")
    assert not palette.hatch("math")


def test_twenty_sources_do_not_run_out_of_colours():
    names = [f"source-{i}" for i in range(20)]
    palette = Palette.of(names, [f"m{i}" for i in range(20)])
    assert all(palette.colour(name) and palette.marker(name) for name in names)
    assert len({(palette.colour(name), palette.hatch(name)) for name in palette.merged}) == 20


def table(objectives, **settings):
    candidates, sources, merges = world(12, objectives, 8)
    names = NAMES[:objectives]
    front = [Entry(each.recipe.digest[:8], each.scores, each.recipe.depth) for each in candidates]
    return closing_table(
        sources=[Entry(name, scores, 8) for name, scores in sources.items()],
        merges=[Entry(f"dare_ties [{name}]", scores, 8) for name, scores in merges.items()],
        chosen=front[0],
        front=front,
        normaliser=Normaliser(names, (0.0,) * objectives, (0.8,) * objectives),
        preference=Preference.of(None, names),
        utility=Tchebycheff(),
        **settings,
    )


@pytest.mark.parametrize("objectives", [1, 3, 4, 7])
def test_the_closing_table_fits_100_columns_uncut(objectives):
    text = closing_text(table(objectives))
    assert max(map(len, text.splitlines())) <= 100
    assert "…" not in text
    kinds = [line.split()[0] for line in text.splitlines() if line.startswith(" ") and line.split()]
    assert [kinds.count(kind) for kind in ("source", "merge", "chosen", "front")] == [4, 3, 1, 8]
    assert text.count("dare_ties") == 3
    assert text.count("[m") == 3  # a name is no markup
    assert "2 more merges, 3 more stacks of the front in front.json" in " ".join(text.split())


def test_the_chosen_stack_is_shown_once_and_parts_are_ordered_by_utility():
    lines = closing_text(table(3)).splitlines()
    chosen = next(line for line in lines if line.strip().startswith("chosen"))
    assert sum(chosen.split()[1] in line for line in lines) == 1
    utilities = [float(line.split()[-1].rstrip("*")) for line in lines if line.strip().startswith("front")]
    assert utilities == sorted(utilities, reverse=True)


def test_the_plain_form_can_be_markdown():
    lines = closing_text(table(3, markdown=True)).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 2 + 4 + 3 + 1 + 8
    assert len({line.count("|") for line in rows}) == 1
    assert set(rows[1]) <= set("|-: ")


def test_a_terminal_shows_it_in_colour():
    console = Console(force_terminal=True, width=100)
    with console.capture() as capture:
        console.print(table(2))
    assert "\x1b[" in capture.get()
