"use strict";
// Sliders for the weights, switches for the scores that are shown.
(() => {
  const { choice, element } = HM3;
  const percent = (weight) => `${Math.round(100 * weight)} %`;

  const rows = choice.front.objectives.map((objective, k) => {
    const slider = element("input", { type: "range", min: 0, max: 100, step: 1, id: `weight-${k}` });
    const share = element("output", { for: `weight-${k}` });
    slider.addEventListener("input", () => choice.slide(k, slider.valueAsNumber));
    const label = element("label", { for: `weight-${k}` }, objective.name);
    document.getElementById("sliders").append(element("div", { class: "slider" }, label, slider, share));
    return { slider, share };
  });
  document.getElementById("reset").addEventListener("click", () => choice.reset());

  choice.begin((what) => {
    if (what === "selected") return;
    rows.forEach(({ slider, share }, k) => {
      if (Number(slider.value) !== Math.round(choice.sliders[k])) slider.value = choice.sliders[k];
      share.textContent = choice.weightless ? "–" : percent(choice.weights[k]);
      slider.setAttribute("aria-valuetext", share.textContent);
    });
    document.getElementById("weightless").hidden = !choice.weightless;
  });

  for (const input of document.querySelectorAll(".switches input")) {
    if (choice.shown[input.name] === input.value) input.checked = true;
    input.addEventListener("change", () => choice.show({ [input.name]: input.value }));
  }
})();
