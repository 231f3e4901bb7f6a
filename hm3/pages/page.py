"""A page: one HTML file that holds its styles, its scripts (plotly.js among them) and its data, and asks no network.

Whatever is put into a template or into `data` is escaped; only what `fragment` returns is taken for HTML. Text that a
script hands to Plotly goes through ``HM3.plain`` there, because Plotly reads a little HTML of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

_ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page under a heading of its own.

    Attributes:
        key: Its id, which links name: ``front``.
        title: The heading.
        body: What `fragment` made.
    """

    key: str
    title: str
    body: Markup


def page(
    title: str,
    sections: Sequence[Section],
    *,
    lead: str = "",
    facts: Sequence[tuple[str, str]] = (),
    data: Mapping[str, Any] | None = None,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
) -> str:
    """A whole page as text.

    Args:
        title: The heading and the window's title.
        sections: What stands below each other.
        lead: A sentence below the heading.
        facts: Figures that stand out at the top: what, value.
        data: A JSON value without NaN; scripts find it as ``HM3.data``.
        styles: Files of ``assets/`` that come after ``page.css``.
        scripts: Files of ``assets/``, run in this order once the page stands. ``charts.js``, which gives all plots
            one look, and plotly.js come before them where there are any.
    """
    embedded = [get_plotlyjs(), *map(_asset, ("charts.js", *scripts))] if scripts else []
    return fragment(
        "page.html",
        title=title,
        lead=lead,
        facts=facts,
        sections=sections,
        styles=[Markup(_asset(name)) for name in ("page.css", *styles)],  # noqa: S704 -- our own files
        data=Markup(_json(data or {})),  # noqa: S704 -- nothing in it ends the script element
        scripts=[Markup(script) for script in embedded],  # noqa: S704 -- our own files and Plotly's
    )


def fragment(template: str, **values: Any) -> Markup:
    """A template of ``assets/``, filled; every value that is not itself a fragment is escaped."""
    return Markup(_templates().get_template(template).render(values))  # noqa: S704 -- the template has escaped it


@cache
def _templates() -> Environment:
    return Environment(
        loader=FileSystemLoader(_ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _json(data: Mapping[str, Any]) -> str:
    """JSON that may stand in a script element: no ``</script>`` and no ``<!--`` can come out of it."""
    text = json.dumps(data, allow_nan=False, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
