import json
import re

import pytest

from hm3.errors import ConfigurationError, OutputError
from hm3.pages import Section, fragment, page, write_report
from hm3.pages.stacks import looks
from tests.fronts import front_of, write_run

HOSTILE = "</script><!--<b>\"'&ü"


def test_whatever_stands_in_a_page_is_escaped():
    section = Section("s", HOSTILE, fragment("models.html", compared=HOSTILE))
    text = page(HOSTILE, [section], lead=HOSTILE, facts=[(HOSTILE, HOSTILE)], data={HOSTILE: [HOSTILE]})
    assert "<b>" not in text
    assert "<!--" not in text
    assert text.count("</script>") == 1  # of the data
    data = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1]
    assert json.loads(data) == {HOSTILE: [HOSTILE]}


def test_plotly_comes_only_where_scripts_need_it():
    assert len(page("t", [])) < 20_000
    assert len(page("t", [], scripts=["curves.js"])) > 1_000_000


def test_nan_is_no_data():
    with pytest.raises(ValueError, match="not JSON compliant"):
        page("t", [], data={"x": float("nan")})


def test_a_page_asks_no_network(tmp_path):
    text = write_report(write_run(tmp_path), {}).read_text()
    assert "default-src 'none'" in text
    outside = re.findall(r"<(?:link|script|img)[^>]*? (?:src|href)=[\"']?([^\"' >]*)", text)
    assert outside == ["data:,"]  # an icon that is none


def test_the_page_replaces_the_old_one_whole_or_not_at_all(tmp_path):
    run = write_run(tmp_path / "run")
    run.report.write_text("old")
    assert write_report(run, {}) == run.report
    assert run.report.read_text().startswith("<!doctype html>")
    assert {path.name for path in run.path.iterdir()} == {"front.json", "metrics.jsonl", "report.html"}
    with pytest.raises(OutputError, match="must be writable"):
        write_report(run, {}, run.front / "page.html")


def test_another_format_is_one_line(tmp_path):
    run = write_run(tmp_path)
    run.front.write_text(json.dumps(json.loads(run.front.read_text()) | {"format": 2}))
    with pytest.raises(ConfigurationError, match="format: this version reads 1, got 2"):
        write_report(run, {})
    assert not run.report.exists()


def test_settings_and_versions_are_told(tmp_path):
    text = write_report(write_run(tmp_path), {"seed": 7, "tasks": {"include": ["größe"]}}).read_text()
    assert "seed: 7\ntasks:\n  include:\n  - größe\n" in text
    assert '<th scope="row">hm3</th><td>0.1.0</td>' in text


def test_a_source_looks_as_in_the_picture():
    known = looks(front_of(2))
    assert list(known)[:4] == ["base", "math", "code", "translation"]
    assert (known["base"].colour, known["base"].symbol) == ("#A3A9B3", "circle")
    assert (known["math"].colour, known["math"].text, known["math"].symbol) == ("#3E6FB0", "white", "square")
    assert (known["merge"].colour, known["merge"].hatch, known["merge"].symbol) == ("#B9CDE9", "rising", "")
