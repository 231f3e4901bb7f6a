"use strict";
// The candidate that is chosen: its stack, its scores, the command that exports it.
HM3.stack = (() => {
  const { element, data: { front } } = HM3;

  /** A stack as a band of colours, for where there is no room for layers one by one. */
  function band({ stack }) {
    const width = 100 / stack.path.length;
    const stops = stack.path.map(([look], i) => `${front.looks[look].colour} ${i * width}% ${(i + 1) * width}%`);
    const made = element("span", { class: "band", "aria-hidden": "true" });
    made.style.background = `linear-gradient(90deg, ${stops.join(", ")})`;
    return made;
  }

  function cell(look, text, title, more = "") {
    const { colour, text: ink, hatch } = front.looks[look];
    const made = element("li", { class: `layer ${hatch} ${more}`, title }, element("span", {}, text));
    made.style.backgroundColor = colour;
    made.style.color = ink;
    return made;
  }

  const name = (look) => front.looks[look].name;

  /** A stack layer by layer, between the hosts of embedding and head. */
  function strip({ stack }) {
    const seams = new Set(stack.seams);
    return element("ol", { class: "strip" },
      cell(stack.embedding, "e", `embedding: ${name(stack.embedding)}`, "host"),
      ...stack.path.map(([look, layer], i) =>
        cell(look, layer, `${name(look)}, layer ${layer}${seams.has(i) ? ", after a seam" : ""}`, seams.has(i) ? "seam" : "")),
      cell(stack.head, "h", `head: ${name(stack.head)}`, "host"));
  }

  /** The stretches between seams: [source, first layer, last layer]. */
  function stretches({ stack }) {
    const starts = [0, ...stack.seams, stack.path.length];
    return starts.slice(1).map((end, i) => [name(stack.path[starts[i]][0]), stack.path[starts[i]][1], stack.path[end - 1][1]]);
  }

  /** The stack in words. */
  const words = (candidate) => [
    `embedding ${name(candidate.stack.embedding)}`,
    ...stretches(candidate).map(([source, first, last]) => `${source} ${first === last ? first : `${first}–${last}`}`),
    `head ${name(candidate.stack.head)}`,
  ].join(" · ");

  /** One entry for each source of a stack. */
  function legend({ stack }) {
    const used = new Set([stack.embedding, ...stack.path.map(([look]) => look), stack.head]);
    return element("ul", { class: "legend" }, ...[...used].sort((a, b) => a - b).map((look) => {
      const swatch = element("span", { class: `swatch ${front.looks[look].hatch}` });
      swatch.style.backgroundColor = front.looks[look].colour;
      return element("li", {}, swatch, name(look));
    }));
  }

  return { band, strip, words, legend };
})();
