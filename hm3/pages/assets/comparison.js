"use strict";
// Runs over each other: hypervolume along the way, and fronts in pairs of objectives; a colour for each variant.
(() => {
  const { data: { groups }, INK, FAINT, element, plain, figure, layout, draw } = HM3;
  const MOST = 15;

  function curve(run, variants) {
    const { colour, symbol } = variants[run.variant];
    return {
      type: "scatter", mode: "lines+markers", x: run.evaluations, y: run.hypervolume, cliponaxis: false,
      line: { color: colour, width: 1.6 }, marker: { color: colour, symbol, size: 5 },
      text: run.hypervolume.map((volume, i) => `${plain(run.name)}<br>${run.evaluations[i]} evaluations: ${figure(volume, 4)}`),
      hovertemplate: "%{text}<extra></extra>",
    };
  }

  const told = (name, values, objectives) =>
    [plain(name), ...values.map((value, k) => `${plain(objectives[k])} ${figure(value)}`)].join("<br>");

  // A lone objective has no pair: it is shown against the place on the front.
  const place = (values, k, i) => (k === null ? i + 1 : values[k]);

  function points(models, names, [x, y], objectives, marker) {
    return {
      type: "scatter", mode: "markers", cliponaxis: false, marker, hovertemplate: "%{text}<extra></extra>",
      x: models.map((values, i) => place(values, x, i)), y: models.map((values, i) => place(values, y, i)),
      text: models.map((values, i) => told(names[i], values, objectives)),
    };
  }

  function panel({ objectives, variants, runs, sources }, pair) {
    const look = (run) => variants[run.variant];
    return [
      points(sources.map(({ values }) => values), sources.map(({ name }) => name), pair, objectives,
        { symbol: "square-open", size: 10, color: FAINT, line: { width: 1.5 } }),
      ...runs.map((run) => points(run.front, run.digests.map((digest) => `${run.name}: ${digest}`), pair, objectives,
        { symbol: look(run).symbol, size: 6, color: look(run).colour, opacity: 0.65 })),
      ...runs.map((run) => points([run.front[run.chosen]], [`${run.name}: chosen`], pair, objectives,
        { symbol: "star", size: 13, color: look(run).colour, line: { color: INK, width: 0.8 } })),
    ];
  }

  groups.forEach((group, number) => {
    const curves = document.getElementById(`curves-${number}`);
    if (curves) draw(curves, group.runs.map((run) => curve(run, group.variants)), layout("evaluations", "hypervolume"));
    const fronts = document.getElementById(`fronts-${number}`);
    const pairs = group.pairs.length ? group.pairs : [[null, 0]];
    const panels = pairs.slice(0, MOST).map((pair) => {
      const [x, y] = pair.map((k) => (k === null ? "place on the front" : group.objectives[k]));
      return { pair, x, y, where: element("div", { class: "plot", role: "img", "aria-label": `${y} against ${x}` }) };
    });
    fronts.append(...panels.map(({ where }) => where)); // all of them, before one is drawn: they share the width
    for (const { pair, x, y, where } of panels) draw(where, panel(group, pair), layout(x, y));
    if (pairs.length > MOST) {
      fronts.after(element("p", { class: "note" }, `The first ${MOST} of ${pairs.length} pairs.`));
    }
  });
})();
