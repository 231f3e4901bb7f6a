"use strict";
// What was logged along the run.
(() => {
  const { data: { curves }, element, plain, layout, draw } = HM3;
  const COLOURS = ["#3E6FB0", "#E8853B", "#4A9D5B", "#C8495C", "#8063B0"];
  const X = "evaluations";
  const trace = ({ name, x, y }, colour) => (
    { type: "scatter", mode: "lines+markers", name: plain(name), x, y, line: { color: colour, width: 1.8 }, marker: { size: 5 },
      hovertemplate: `${plain(name).replace(/%\{/g, "% {")}<br>%{x} evaluations: %{y:.4~g}<extra></extra>` });

  function together(id, group) {
    draw(document.getElementById(id), group.map((curve, i) => trace(curve, COLOURS[i % COLOURS.length])),
      layout(X, "hypervolume", { showlegend: true, legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" } }));
  }

  function apart(id, group) {
    for (const curve of group) {
      const where = element("div", { class: "plot low", role: "img", "aria-label": curve.name });
      document.getElementById(id).append(element("figure", {}, element("figcaption", {}, curve.name), where));
      draw(where, [trace(curve, COLOURS[0])], layout(X, ""));
    }
  }

  if (curves.hypervolume.length) together("hypervolume", curves.hypervolume);
  if (curves.search.length) apart("search-curves", curves.search);
  // Plots in a closed box have no width to draw in.
  document.getElementById("agent")?.addEventListener("toggle", () => apart("agent-curves", curves.agent), { once: true });
})();
