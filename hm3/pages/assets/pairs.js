"use strict";
// The front in pairs of objectives, small multiples; a click on a candidate chooses it.
(() => {
  const { choice, element, plain, figure, layout, draw, soon, INK, FAINT, STAR } = HM3;
  const { front } = choice;
  const MOST = 15;
  const SIGNS = { circle: "●", square: "■", "triangle-up": "▲", diamond: "◆", "triangle-down": "▼", cross: "✚", x: "✖",
    "triangle-left": "◀", "triangle-right": "▶", pentagon: "⬟", hexagon: "⬢" };
  const K = front.objectives.length;
  const all = front.objectives.flatMap((_, x) => front.objectives.slice(x + 1).map((__, y) => [x, x + 1 + y]));
  // A lone objective is shown against depth.
  const pairs = K === 1 ? [[null, 0]] : all.slice(0, MOST);
  const coordinate = (model, k) => {
    if (k === null) return model.depth;
    const values = choice.values(model);
    return values && values[k];
  };
  const title = (k) => (k === null ? "depth (layers)" : front.objectives[k].name);
  const told = (name, model) => [plain(name), ...front.objectives.map((objective, k) =>
    `${plain(objective.name)} ${figure(coordinate(model, k))}`), `${model.depth} layers`].join("<br>");

  function points(models, [x, y], name, marker, more = {}) {
    return {
      type: "scatter", mode: "markers", x: models.map((model) => coordinate(model, x)), cliponaxis: false,
      y: models.map((model) => coordinate(model, y)), text: models.map((model) => told(name(model), model)),
      hovertemplate: "%{text}<extra></extra>", marker, ...more,
    };
  }

  const short = (candidate) => candidate.digest.slice(0, 8);
  const chosen = (pair) => points([front.candidates[choice.selected]], pair, short,
    { symbol: "star", size: 17, color: STAR, line: { color: INK, width: 1 } }, { customdata: [choice.selected] });

  const traces = (pair) => [
    points(front.merges, pair, (model) => model.name, { symbol: "x-thin", size: 6, line: { color: FAINT, width: 1.2 } }),
    points(front.candidates, pair, short, { size: front.candidates.length > 60 ? 5.5 : 7.5, color: INK, line: { color: "#fff", width: 0.8 } },
      { customdata: front.candidates.map((_, i) => i) }),
    points(front.sources, pair, (model) => model.name, {
      symbol: front.sources.map((model) => front.looks[model.look].symbol), size: 11,
      color: front.sources.map((model) => front.looks[model.look].colour), line: { color: INK, width: 0.8 },
    }),
    chosen(pair),
  ];

  const plots = pairs.map((pair) => ({
    pair, where: element("div", { class: "plot", role: "img", "aria-label": `${title(pair[1])} against ${title(pair[0])}` }),
  }));
  document.getElementById("pairs").append(...plots.map(({ where }) => where)); // all before one is drawn: they share the width
  for (const { pair, where } of plots) {
    draw(where, traces(pair), layout(title(pair[0]), title(pair[1])));
    where.on("plotly_click", ({ points: [point] }) => {
      if (point.customdata !== undefined) choice.select(point.customdata);
    });
  }
  if (all.length > MOST) {
    document.getElementById("pairs").after(element("p", { class: "note" },
      `The first ${MOST} of ${all.length} pairs; the parallel coordinates below show every objective.`));
  }

  function sign(text, colour, label) {
    const mark = element("span", { class: "sign", "aria-hidden": "true" }, text);
    mark.style.color = colour;
    return element("li", {}, mark, label);
  }
  document.getElementById("signs").append(
    sign("★", STAR, "chosen"), sign("●", INK, "front"),
    ...front.sources.map((model) => sign(SIGNS[front.looks[model.look].symbol], front.looks[model.look].colour, model.name)),
    ...(front.merges.length ? [sign("×", FAINT, "merges in parameter space")] : []));

  let drawn = choice.selected;
  const redraw = soon(() => plots.forEach(({ where, pair }) =>
    Plotly.react(where, traces(pair), layout(title(pair[0]), title(pair[1])))));
  const move = soon(() => plots.forEach(({ where, pair }) => {
    const { x, y, text, customdata } = chosen(pair);
    Plotly.restyle(where, { x: [x], y: [y], text: [text], customdata: [customdata] }, [3]);
  }));
  choice.follow((what) => {
    if (what === "shown") redraw();
    else if (choice.selected !== drawn) move();
    drawn = choice.selected;
  });
})();
