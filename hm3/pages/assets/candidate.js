"use strict";
// The card of the candidate that is chosen.
(() => {
  const { choice, element, figure, stack, data } = HM3;
  const { front } = choice;
  const at = (id) => document.getElementById(id);
  const number = (value) => element("td", { class: "number" }, figure(value));

  function reason(i) {
    if (i === choice.best) return `The best for the weights${i === front.chosen ? ", and what the run chose" : ""}.`;
    return i === front.chosen ? "What the run chose." : "Picked by hand.";
  }

  function scores(candidate) {
    const columns = [["test", "raw"], ["test", "normalised"], ["search", "raw"], ["search", "normalised"]]
      .map(([split, unit]) => choice.values(candidate, split, unit));
    return front.objectives.map((objective, k) => element("tr", {},
      element("th", { scope: "row", title: objective.metric }, objective.name), ...columns.map((column) => number(column && column[k]))));
  }

  const metrics = (candidate) => Object.entries(candidate.metrics).map(([name, value]) =>
    element("tr", {}, element("th", { scope: "row" }, name), number(value)));

  function show() {
    const candidate = front.candidates[choice.selected];
    at("candidate-name").textContent = candidate.digest.slice(0, 8);
    at("candidate-depth").textContent = `${candidate.depth} ${candidate.depth === 1 ? "layer" : "layers"}`;
    at("candidate-reason").textContent = reason(choice.selected);
    at("back").hidden = choice.selected === choice.best;
    at("strip").replaceChildren(stack.strip(candidate), stack.legend(candidate));
    at("words").textContent = stack.words(candidate);
    at("scores").replaceChildren(...scores(candidate));
    at("worth").textContent = figure(choice.worth(candidate));
    at("metrics").replaceChildren(...metrics(candidate));
    at("metrics").closest("details").hidden = !Object.keys(candidate.metrics).length;
    at("command").textContent = data.commands[choice.selected];
    at("jump").replaceChildren(stack.band(candidate), `${candidate.digest.slice(0, 8)}, ${candidate.depth} layers`);
  }

  function marked(node) {
    const range = document.createRange();
    range.selectNodeContents(node);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  }

  at("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(at("command").textContent);
      at("copied").textContent = "copied";
    } catch {
      marked(at("command")); // a browser that keeps its clipboard to itself
      at("copied").textContent = "selected: copy it with your keyboard";
    }
    setTimeout(() => { at("copied").textContent = ""; }, 4000);
  });
  at("back").addEventListener("click", () => choice.select(choice.best));
  choice.begin(show);
})();
