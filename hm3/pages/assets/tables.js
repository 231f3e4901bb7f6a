"use strict";
// The tables of candidates and of what they are compared with; a heading sorts, a row chooses.
(() => {
  const { choice, element, figure, stack } = HM3;
  const { front } = choice;
  const K = front.objectives.length;
  const score = (k) => (model) => { const values = choice.values(model); return values && values[k]; };
  const numbers = [
    { title: "depth", value: (model) => model.depth, text: (value) => String(value) },
    ...front.objectives.map((objective, k) => ({ title: objective.name, value: score(k), text: figure })),
    { title: "utility", value: choice.worth, text: figure },
  ];

  /** A table whose columns of numbers follow what is shown. `lead` makes a row's first cells. */
  function table(id, heads, models, lead) {
    const body = element("tbody");
    const order = { column: K + 1, falling: true };
    const rows = models.map((model) => {
      const cells = numbers.map(() => element("td", { class: "number" }));
      return { model, cells, row: element("tr", {}, ...lead(model), ...cells) };
    });
    const heading = numbers.map(({ title }, column) => {
      const button = element("button", { type: "button", class: "sort" }, title);
      button.addEventListener("click", () => {
        order.falling = order.column === column ? !order.falling : true;
        order.column = column;
        refresh();
      });
      return element("th", { scope: "col", class: "number" }, button);
    });
    const head = element("tr", {}, ...heads.map((title) => element("th", { scope: "col" }, title)), ...heading);
    document.getElementById(id).append(element("thead", {}, head), body);

    function refresh() {
      rows.forEach(({ model, cells }) => numbers.forEach(({ value, text }, i) => { cells[i].textContent = text(value(model)); }));
      const { value } = numbers[order.column];
      const keyed = rows.map(({ model, row }) => ({ key: value(model) ?? -Infinity, row }));
      keyed.sort((a, b) => (order.falling ? b.key - a.key : a.key - b.key) || 0);
      if (keyed.some(({ row }, i) => row !== body.children[i])) move(body, keyed.map(({ row }) => row));
      heading.forEach((cell, i) => {
        if (i === order.column) cell.setAttribute("aria-sort", order.falling ? "descending" : "ascending");
        else cell.removeAttribute("aria-sort");
      });
    }
    choice.begin((what) => { if (what !== "selected") refresh(); });
    return rows;
  }

  /** Put rows in another order; a row that is moved must not lose the keyboard's focus. */
  function move(body, rows) {
    const focused = document.activeElement;
    body.replaceChildren(...rows);
    if (body.contains(focused)) focused.focus({ preventScroll: true });
  }

  const candidates = table("candidate-table", ["candidate", "stack"], front.candidates, (candidate) => {
    const i = front.candidates.indexOf(candidate);
    const radio = element("input", { type: "radio", name: "candidate", value: i });
    radio.addEventListener("change", () => choice.select(i));
    const label = element("label", { class: "digest" }, radio, candidate.digest.slice(0, 8));
    const mark = i === front.chosen ? [element("span", { class: "mark" }, "run’s choice")] : [];
    return [element("th", { scope: "row" }, label, ...mark), element("td", {}, stack.band(candidate))];
  });
  candidates.forEach(({ row }, i) => row.addEventListener("click", () => choice.select(i)));

  /** Scroll the table's own box, and nothing else, until the row is seen. */
  function reveal(row) {
    const box = row.closest(".scroll"), top = row.offsetTop - 40, bottom = row.offsetTop + row.offsetHeight;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight + 8;
  }

  choice.begin(() => candidates.forEach(({ row }, i) => {
    row.classList.toggle("selected", i === choice.selected);
    row.querySelector("input").checked = i === choice.selected;
    if (i === choice.selected) reveal(row);
  }));

  table("model-table", ["model", "made by"], [...front.sources, ...front.merges], (model) => {
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = model.look === null ? "transparent" : front.looks[model.look].colour;
    return [
      element("th", { scope: "row" }, swatch, model.name),
      element("td", { class: "note" }, model.look === null ? model.method : "source"),
    ];
  });
})();
