"""A browser for pages. `HM3_BROWSER=required` makes its absence a failure."""

import os
import shutil

import pytest
from playwright.sync_api import sync_playwright

from hm3.pages import write_report
from tests.fronts import write_run
from tests.report_page import METRICS

NAMES = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="package")
def browser():
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"needs one of {', '.join(NAMES)}; none is installed"
        if os.environ.get("HM3_BROWSER") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def visit(browser):
    """Open a file in a window of some size; it must neither complain nor ask for anything but itself."""
    contexts, complaints, asked, opened = [], [], [], []

    def visited(file, width=1400, height=900):
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message) or dialog.dismiss())
        page.on("request", lambda request: asked.append(request.url))
        opened.append(file.resolve().as_uri())
        page.goto(opened[-1])
        return page

    yield visited
    for context in contexts:
        context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == opened


@pytest.fixture
def report(tmp_path, visit):
    """Write a run's page and open it."""

    def opened(front, metrics=METRICS, folder=tmp_path / "run", **window):
        return visit(write_report(write_run(folder, front, metrics), {"seed": 0}), **window)

    return opened
