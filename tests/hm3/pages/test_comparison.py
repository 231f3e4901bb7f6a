import io
import json
import re

import pytest
from rich.console import Console

from hm3.errors import ConfigurationError, OutputError
from hm3.pages.comparison import write_comparison
from hm3.pages.comparison_groups import groups
from hm3.pages.comparison_table import comparison_table
from hm3.runs.gathering import find_runs, gather
from tests.tiny_runs import small_front, write_run

HOSTILE = "<img src=x onerror=\"document.title='taken'\">"
WIDTHS = (1400, 390)


def agent(name="PPO", **settings):
    return {"agent": {"_target_": f"agents.{name}", **settings}}


@pytest.fixture
def runs(tmp_path):
    """Two widths over two seeds each, another agent, another normalisation, a killed run and a broken one."""
    for width in (32, 64):
        for seed, low in ((0, 0.4), (1, 0.6)):
            settings = {**agent(width=width, beta=[2, 1]), "seed": seed, "tracking": {"wandb": bool(seed)}}
            write_run(tmp_path / f"width{width}" / str(seed), small_front(low=low, seed=seed), settings)
    write_run(tmp_path / "random", small_front(evaluations=7), agent("RandomSearch", beta=2))
    write_run(tmp_path / "scaled", small_front(best=0.5), agent(width=32, beta=[2, 1]))
    write_run(tmp_path / "killed")
    write_run(tmp_path / "broken", small_front()).front.write_text("{")
    return find_runs(str(tmp_path))


def lines(runs, width=100):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(comparison_table(runs))
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines() if line.strip()]


def test_runs_are_grouped_by_what_they_measure(runs):
    large, small = groups(gather(runs).finished)
    assert [run.name for run in small.runs] == ["scaled"]
    assert large.columns == ("agent.width",)
    assert [(variant.label, len(variant.seeds)) for variant in large.variants] == [
        ("RandomSearch", 1),
        ("PPO, agent.width=32", 2),
        ("PPO, agent.width=64", 2),
    ]


def test_only_what_differs_among_agents_of_one_class_is_shown(tmp_path):
    """Beta is a list for one agent and a number for the other, but each agent has one value."""
    write_run(tmp_path / "a", small_front(), agent(beta=[2, 1], width=64) | {"env": {"reach": None}})
    write_run(tmp_path / "b", small_front(), agent("RandomSearch", beta=2) | {"env": {"reach": 3}})
    (group,) = groups(gather(find_runs(str(tmp_path))).finished)
    assert group.columns == ("env.reach",)
    assert [variant.label for variant in group.variants] == ["PPO, env.reach=null", "RandomSearch, env.reach=3"]


def test_mean_and_deviation_over_seeds(runs):
    """Hypervolumes 0.64 and 0.84: two boxes of sides 1 and low, which share a square of side low."""
    variant = groups(gather(runs).finished)[0].variants[1]
    spread = variant.spread(lambda run: run.front.hypervolume)
    assert (spread.mean, spread.deviation) == pytest.approx((0.74, 0.1 * 2**0.5))
    assert variant.spread(lambda run: None) is None


def test_a_seed_counts_once(tmp_path):
    for name, low in (("a", 0.1), ("b", 0.4), ("c", 0.6)):
        write_run(tmp_path / name, small_front(low=low, seed=int(name == "c")), agent())
    (variant,) = groups(gather(find_runs(str(tmp_path))).finished)[0].variants
    assert [run.name for run in variant.seeds] == ["b", "c"]


def test_the_table_of_the_terminal(runs):
    told = lines(runs)
    assert "random 75/25 0 RandomSearch 0.750 1.100 0.875 7 1:15" in told
    assert "width32/0 75/25 0 PPO, agent.width=32 0.640 1.100 0.850 40 1:15" in told
    assert "mean of 2 seeds 0.740 1.100 0.875 40" in told
    assert "standard deviation 0.141 0.000 0.035 0" in told
    assert any("without a result: killed" in line for line in told)
    assert any(line.startswith("cannot be read: broken") for line in told)
    assert any("other objectives or normalisation" in line for line in told)


def test_the_table_fits_its_width_whatever_a_run_is_called(tmp_path):
    write_run(tmp_path / "outputs" / ("long " * 12), small_front(), agent())
    write_run(tmp_path / "[red]x[/blue]", small_front(), agent() | {"env": {"host": "[/bold]"}})
    told = lines(find_runs(str(tmp_path)))
    assert any("[red]x[/blue]" in line for line in told)
    assert any("env.host=[/bold]" in line for line in told)


def written(runs, path):
    write_comparison(runs, path)
    return path.read_text(encoding="utf-8")


def data_of(text):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_the_page_has_every_run_with_its_group(runs, tmp_path):
    text = written(runs, tmp_path / "page.html")
    large, small = data_of(text)["groups"]
    assert [run["name"] for run in large["runs"]] == ["random", "width32/0", "width32/1", "width64/0", "width64/1"]
    assert [run["variant"] for run in large["runs"]] == [0, 1, 1, 2, 2]
    assert large["runs"][0]["evaluations"] == [20, 40]
    assert large["runs"][0]["hypervolume"] == [0.25, 0.75]
    assert large["runs"][1]["front"] == [[1.0, 0.4], [0.4, 1.0]]
    assert [source["name"] for source in small["sources"]] == ["math", "code"]
    assert "6 finished runs in 2 groups" in text
    assert "Best sources on the search split, which count as 1: math 0.5, code 1" in text
    assert "0.740 ± 0.141" in text
    assert "killed or still at work: killed" in text
    assert [path.name for path in tmp_path.glob("*.html*")] == ["page.html"]


def test_one_group_is_not_called_one(tmp_path):
    write_run(tmp_path / "a", small_front(), agent())
    text = written(find_runs(str(tmp_path)), tmp_path / "page.html")
    assert "1 finished run<" in text
    assert "Group 1" not in text
    assert "Over seeds" not in text


def test_no_result_and_no_place_are_one_line(tmp_path):
    write_run(tmp_path / "killed")
    with pytest.raises(ConfigurationError, match="at least one with a result, got 1 without"):
        write_comparison(find_runs(str(tmp_path)), tmp_path / "page.html")
    write_run(tmp_path / "good", small_front())
    with pytest.raises(OutputError):
        write_comparison(find_runs(str(tmp_path)), tmp_path / "killed" / "metrics.jsonl" / "page.html")


@pytest.mark.parametrize("width", WIDTHS)
def test_in_a_browser_every_plot_is_drawn_and_nothing_overflows(runs, tmp_path, visit, width):
    write_comparison(runs, tmp_path / "page.html")
    tab = visit(tmp_path / "page.html", width)
    assert tab.locator(".js-plotly-plot").count() == 2 * (1 + 1)  # in each group the curves and one pair
    assert tab.locator("#curves-0 .scatterlayer .trace").count() == 5
    assert tab.locator("#fronts-0 .scatterlayer .trace").count() == 1 + 5 + 5
    assert tab.evaluate("document.documentElement.scrollWidth") == width


def test_names_are_text_and_nothing_else(tmp_path, visit):
    names = (HOSTILE, "b")
    write_run(tmp_path / HOSTILE.replace("/", ""), small_front(names=names), agent(width=HOSTILE))
    write_run(tmp_path / "x", small_front(names=names, seed=1), agent(width="</script><script>document.title='taken'"))
    write_run(tmp_path / "killed<b>")
    write_comparison(find_runs(str(tmp_path)), tmp_path / "page.html")
    tab = visit(tmp_path / "page.html", 1400)
    assert tab.title() == "Comparison of runs"
    assert tab.locator("img, section b, section script").count() == 0
    assert HOSTILE in tab.locator("#group-0").inner_text()
    assert HOSTILE in tab.locator("#fronts-0 .xtitle").text_content()


def test_a_lone_objective_is_drawn_too(tmp_path, visit):
    write_run(tmp_path / "run", small_front(names=("math",)), curve=())
    write_comparison(find_runs(str(tmp_path)), tmp_path / "page.html")
    tab = visit(tmp_path / "page.html", 1400)
    assert tab.locator(".js-plotly-plot").count() == 1
    assert tab.locator(".xtitle").text_content() == "place on the front"
