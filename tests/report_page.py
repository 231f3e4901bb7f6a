"""A run's page in a browser: what it shows, and how it is used."""

from hm3.closing import choose
from hm3.objectives import Preference

PAIR = "#pairs .js-plotly-plot >> nth=0"
METRICS = "".join(
    f'{{"step": {step}, "offline/hypervolume_screen": {step / 100}, "agent/train/loss": null}}\n'
    for step in (5, 10, 20)
)
# Where on the screen a plot has a point: [x, y] of point `i` of trace `t`.
PLACE = """(plot, [t, i]) => {
  const { xaxis, yaxis } = plot._fullLayout, { x, y } = plot.data[t], box = plot.getBoundingClientRect();
  return [box.x + xaxis._offset + xaxis.d2p(x[i]), box.y + yaxis._offset + yaxis.d2p(y[i])];
}"""


def digest_of(front, i):
    return front.candidates[i].recipe.digest[:8]


def favourite(front, *weights):
    preference = Preference.of(dict(zip(front.names, weights, strict=True)), front.names)
    return choose(front, preference, front.utility_function).recipe.digest


def shown(page):
    return page.inner_text("#candidate-name")


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


def set_weights(page, weights):
    for k, weight in enumerate(weights):
        page.locator(f"#weight-{k}").fill(str(weight))


def click_point(page, plot, trace, point):
    where = page.locator(plot)
    where.scroll_into_view_if_needed()
    page.mouse.click(*where.evaluate(PLACE, [trace, point]))


def wait_until(page, condition: str, argument: object = None) -> None:
    """Wait for a JavaScript function to give true. Playwright's own waiting needs `eval`, which the page forbids."""
    for _ in range(200):
        if page.evaluate(condition, argument):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"never true: {condition}")
