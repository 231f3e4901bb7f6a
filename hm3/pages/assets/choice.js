"use strict";
// What is chosen, and why: the weights, the utility they give, the candidate that all views highlight.
HM3.choice = (() => {
  const front = HM3.data.front;
  const listeners = [];
  // Weights stay as the run had them, to the last digit, until their own slider is moved.
  const stated = front.weights.map((weight) => 100 * weight);
  let sliders = [...stated];
  let weights = front.weights;
  const judged = front.candidates.every((candidate) => candidate.test !== null);
  const shown = { split: judged ? "test" : "search", unit: "raw" };

  // As in hm3/objectives.py, operation by operation.
  const UTILITIES = {
    tchebycheff: ({ reference, rho }) => (values) => {
      const distance = values.map((value, k) => weights[k] * (reference - value));
      return -(Math.max(...distance) + rho * sum(distance));
    },
    linear: () => (values) => sum(values.map((value, k) => weights[k] * value)),
  };
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const utility = UTILITIES[front.utility.name](front.utility.parameters);
  const normalised = (values) =>
    values.map((value, k) => (value - front.objectives[k].floor) / (front.objectives[k].best - front.objectives[k].floor));

  /** What the weights make of a model's scores on the search split, where a run makes its choice. */
  const worth = (model) => utility(normalised(model.search));

  /** The candidate with the largest utility; of equals the first. */
  function favourite() {
    const values = front.candidates.map(worth);
    return values.reduce((top, value, i) => (value > values[top] ? i : top), 0);
  }

  let selected = front.chosen;
  let best = favourite();

  /** A model's scores as they are shown now; null where that split was not judged. */
  function values(model, split = shown.split, unit = shown.unit) {
    const raw = model[split];
    return raw === null || unit === "raw" ? raw : normalised(raw);
  }

  const tell = (what) => listeners.forEach((listener) => listener(what));

  function weigh(positions) {
    const total = sum(positions);
    sliders = positions;
    if (total > 0) {
      weights = positions === stated ? front.weights : positions.map((position) => position / total);
      selected = best = favourite();
    }
    tell("weights");
  }

  return {
    front, worth, values, normalised,
    get weights() { return weights; },
    get sliders() { return sliders; },
    get weightless() { return sum(sliders) <= 0; },
    get selected() { return selected; },
    get best() { return best; },
    get shown() { return shown; },
    select(i) { selected = i; tell("selected"); },
    slide(k, position) { weigh(sliders.map((each, i) => (i === k ? position : each))); },
    reset() { weigh(stated); },
    show(what) { Object.assign(shown, what); tell("shown"); },
    /** Call with "weights", "selected" or "shown" whenever that has changed. */
    follow(listener) { listeners.push(listener); },
    /** The same, and once now. */
    begin(listener) { listeners.push(listener); listener("shown"); },
  };
})();
