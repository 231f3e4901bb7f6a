"""The page is what the result files say, and the README says nothing else."""

import json
import re
import shutil

import pytest

from hm3.errors import ConfigurationError
from scripts.page.pages import DOCS, PAGE, RESULTS, ROOT, differences, page, read, write
from scripts.page.sections import SECTIONS

NUMBER = re.compile(r"\d[\d,]*\.?\d*")


@pytest.fixture(scope="module")
def made():
    return page()


def test_the_page_and_its_drawings_are_what_the_results_say(made):
    assert differences(made, DOCS) == []


def test_another_figure_in_a_result_file_is_noticed(tmp_path):
    for folder in ("results", "tables"):
        shutil.copytree(RESULTS / folder, tmp_path / folder)
    file = tmp_path / "results" / "tuning_a.json"
    result = json.loads(file.read_text())
    result["details"]["tables"][0]["rows"][0][1] += "0"
    file.write_text(json.dumps(result))
    assert differences(page(SECTIONS, tmp_path), DOCS) == [PAGE]


def test_a_drawing_that_no_section_has_is_noticed(made, tmp_path):
    write(made, tmp_path)
    assert differences(made, tmp_path) == []
    (tmp_path / "benchmarks" / "old.svg").write_text("<svg/>")
    assert differences(made, tmp_path) == ["benchmarks/old.svg"]


def test_results_name_no_machine_of_ours_and_are_small():
    for file in [*RESULTS.glob("results/*.json"), *RESULTS.glob("tables/*.json")]:
        text = file.read_text()
        assert not re.search(r'"/(tmp|home|root|work)', text), file.name
        assert len(text) < 300_000, file.name


def test_the_readme_quotes_only_what_the_page_has(made):
    """Between ``<!-- figures of NAME -->`` and ``<!-- end -->`` every number is one of that result's tables."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    quoted = re.findall(r"<!-- figures of (\S+) -->(.*?)<!-- end -->", readme, re.DOTALL)
    assert quoted
    for name, text in quoted:
        (section,) = (each for each in SECTIONS if each.result == f"results/{name}")
        shown = json.dumps(read(RESULTS, section)["details"]["tables"])
        assert set(NUMBER.findall(text)) - set(NUMBER.findall(shown)) == set(), name


def test_a_missing_result_and_a_quick_one_are_refused(tmp_path):
    section = SECTIONS[-1]
    with pytest.raises(ConfigurationError, match=f"page: a result for '{section.title}', got no {section.result}.json"):
        read(tmp_path, section)
    (tmp_path / section.result).parent.mkdir()
    (tmp_path / f"{section.result}.json").write_text(json.dumps({"quick": True}))
    with pytest.raises(ConfigurationError, match="page: results of full forms, got a quick"):
        read(tmp_path, section)


def test_a_drawing_that_is_no_more_is_removed(made, tmp_path):
    write(made, tmp_path)
    (tmp_path / "benchmarks" / "old.svg").write_text("<svg/>")
    write(made, tmp_path)
    assert differences(made, tmp_path) == []
