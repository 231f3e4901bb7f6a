"""A result as Markdown."""

from scripts.page.render import measured_on, rendered, table
from scripts.page.sections import Section

SECTION = Section("Some search", "results/some_b", ("tuned",))
RESULT = {
    "name": "some",
    "quick": False,
    "seed": 0,
    "command": "python -m scripts.benchmark some --table b --out scripts/benchmark/results/some_b.json",
    "machine": {
        "processor": "P1",
        "cores": 2,
        "memory_gb": 8.0,
        "system": "Linux",
        "python": "3.11",
        "libraries": {"torch": "2.13"},
    },
    "summary": {"seeds": 3, "stacks": 65536, "share": 0.5},
    "details": {"tables": [{"title": "what", "columns": ["method", "figure"], "rows": [["one", "1.0"]]}]},
}


def test_a_table_has_figures_on_the_right():
    assert table("what", ["method", "figure"], [["one", "1.0"]]).splitlines() == [
        "**what**",
        "",
        "| method | figure |",
        "| --- | ---: |",
        "| one | 1.0 |",
    ]


def test_a_machine_is_a_line():
    assert measured_on(RESULT) == "Seeds 0 to 2. Measured on P1, 2 cores, 8.0 GB, Linux; Python 3.11, torch 2.13."


def test_a_section_has_text_command_tables_and_drawings():
    parts = rendered(SECTION, RESULT, ["benchmarks/some.svg"])
    assert parts.startswith("## Some search\n\nSettings of all methods")
    assert "\npython -m scripts.benchmark some --table b --out" in parts
    assert "| one | 1.0 |" in parts
    assert "![Some search](benchmarks/some.svg)" in parts


def test_a_result_without_tables_shows_its_summary():
    assert "| stacks | 65,536 |" in rendered(SECTION, {**RESULT, "details": {}}, [])
