"use strict";
// The front in parallel coordinates: an axis for depth and for each objective, each from its lowest to its highest.
(() => {
  const { choice, plain, figure, layout, axis, draw, soon, INK, FAINT, STAR } = HM3;
  const { front } = choice;
  const where = document.getElementById("parallel");
  const names = ["depth", ...front.objectives.map((objective) => objective.name)];
  const row = (model) => [model.depth, ...(choice.values(model) ?? front.objectives.map(() => null))];

  function scales() {
    const rows = [...front.candidates, ...front.sources].map(row);
    return names.map((_, k) => {
      const column = rows.map((values) => values[k]).filter((value) => value !== null);
      return { low: Math.min(...column), high: Math.max(...column) };
    });
  }
  const place = (value, { low, high }) => (value === null ? null : high > low ? (value - low) / (high - low) : 0.5);

  /** Models as lines; a gap keeps each from the next. */
  function lines(models, all, more) {
    const gap = (list) => list.flatMap((each) => [...each, null]);
    const rows = models.map(row);
    return {
      type: "scatter", mode: "lines+markers", connectgaps: false, cliponaxis: false,
      x: gap(rows.map((values) => values.map((_, k) => k))), y: gap(rows.map((values) => values.map((v, k) => place(v, all[k])))),
      text: gap(models.map((model, i) => rows[i].map((value, k) =>
        `${plain(model.digest ? model.digest.slice(0, 8) : model.name)}<br>${plain(names[k])} ${k ? figure(value) : value}`))),
      hovertemplate: "%{text}<extra></extra>", ...more,
    };
  }

  const ends = (all) => all.flatMap(({ low, high }, k) => [[low, -0.07], [high, 1.07]].map(([value, y]) => (
    { x: k, y, text: k ? figure(value) : String(value), showarrow: false, font: { size: 11, color: FAINT } })));
  const axes = names.map((_, k) => (
    { type: "line", x0: k, x1: k, y0: 0, y1: 1, layer: "below", line: { color: FAINT, width: 1 } }));

  const shape = (all) => layout("", "", {
    margin: { l: 28, r: 28, t: 6, b: 30 }, annotations: ends(all), shapes: axes,
    xaxis: axis("", { tickvals: names.map((_, k) => k), ticktext: names.map(plain), range: [-0.15, names.length - 0.85],
      showgrid: false, showline: false, ticks: "" }),
    yaxis: axis("", { visible: false, range: [-0.13, 1.13] }),
  });

  const owners = front.candidates.flatMap((_, i) => [...names.map(() => i), null]);
  const chosen = (all) => lines([front.candidates[choice.selected]], all, {});
  const traces = (all) => [
    lines(front.candidates, all, { customdata: owners, line: { color: "rgba(34,37,43,.16)", width: 1 },
      marker: { size: 6, color: "rgba(34,37,43,.5)" } }),
    ...front.sources.map((model) => lines([model], all, { line: { color: front.looks[model.look].colour, width: 1.8 },
      marker: { size: 8, symbol: front.looks[model.look].symbol } })),
    { ...chosen(all), line: { color: INK, width: 5.5 }, hoverinfo: "skip", hovertemplate: null, mode: "lines" },
    { ...chosen(all), line: { color: STAR, width: 3.5 }, marker: { size: 9, color: STAR, line: { color: INK, width: 1 } } },
  ];

  let all = scales();
  draw(where, traces(all), shape(all));
  where.on("plotly_click", ({ points: [point] }) => {
    if (Number.isInteger(point.customdata)) choice.select(point.customdata);
  });
  let drawn = choice.selected;
  const redraw = soon(() => {
    all = scales();
    Plotly.react(where, traces(all), shape(all));
  });
  const move = soon(() => {
    const { x, y, text } = chosen(all);
    const last = front.sources.length + 1;
    Plotly.restyle(where, { x: [x, x], y: [y, y], text: [text, text] }, [last, last + 1]);
  });
  choice.follow((what) => {
    if (what === "shown") redraw();
    else if (choice.selected !== drawn) move();
    drawn = choice.selected;
  });
})();
