"use strict";
// What every page's scripts share: the data, safe text, and one look for all plots.
const HM3 = (() => {
  const INK = "#22252B", FAINT = "#8A8F98", RULE = "#E4E6EA", STAR = "#F2B701"; // hm3/figures/palette.py
  const FONT = { family: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", size: 12, color: INK };
  const data = JSON.parse(document.getElementById("data").textContent);

  /** Text as Plotly must get it: it would take tags and entities in names for its own. */
  const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  /** A score or another figure for people. */
  const figure = (value, digits = 3) =>
    value === null || value === undefined ? "–" : value.toFixed(Math.abs(value) < 10 ? digits : 1).replace("-", "−");

  /** An element with attributes; text goes in as text. */
  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  const axis = (title, more = {}) => ({
    title: { text: plain(title), standoff: 8 }, automargin: true, gridcolor: RULE, zeroline: false, linecolor: FAINT,
    showline: true, ticks: "outside", ticklen: 4, tickcolor: FAINT, nticks: 6, fixedrange: true, ...more,
  });

  const layout = (x, y, more = {}) => ({
    font: FONT, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 48, r: 12, t: 12, b: 44 },
    xaxis: axis(x), yaxis: axis(y), showlegend: false, hovermode: "closest", dragmode: false,
    hoverlabel: { bgcolor: "#fff", bordercolor: FAINT, font: FONT, align: "left" }, ...more,
  });

  /** Draw into an element; the element's CSS height is the plot's. */
  const draw = (where, traces, shape) =>
    Plotly.newPlot(where, traces, shape, { responsive: true, displayModeBar: false, displaylogo: false });

  /** Work that is done once before the next frame, however often it is asked for until then. */
  function soon(work) {
    let due = false;
    return () => {
      if (!due) requestAnimationFrame(() => { due = false; work(); });
      due = true;
    };
  }

  return { INK, FAINT, RULE, STAR, data, plain, figure, element, axis, layout, draw, soon };
})();
