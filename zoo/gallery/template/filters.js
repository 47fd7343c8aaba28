// The filters: score, outcome, order, classes.

const FEW = 12; // classes that need no search

function buildBar() {
  const output = el("output", { for: "score" });
  const slider = el("input", { type: "range", id: "score", min: Math.floor(100 * gallery.lowest) / 100, max: 1, step: 0.01, value: state.score,
    on: { input: (event) => { state.score = Number(event.target.value); draw(); }, change: () => draw(true) } });
  const kinds = Object.entries(KINDS).map(([kind, { name, about }]) => el("button", { type: "button", "data-kind": kind, title: about,
    on: { click: () => { toggle(state.kinds, kind); follow(); } } }, sample(kind), el("span", {}, name), el("strong", {})));
  const order = el("select", { name: "order", on: { change: (event) => { state.order = event.target.value; draw(true); } } },
    Object.entries(ORDERS).map(([value, text]) => el("option", { value }, text)));
  const check = (name, text) => el("label", { class: "check" }, el("input", { type: "checkbox", name, on: { change: (event) => { state[name] = event.target.checked; draw(true); } } }), el("span", {}, text));
  at("bar").replaceChildren(
    el("label", { class: "score" }, el("span", {}, "Score from"), slider, output),
    known ? el("div", { class: "kinds", role: "group", "aria-label": "Outcomes" }, kinds) : "");
  at("arrange").replaceChildren(
    known ? check("annotated", "all annotated boxes") : "", check("empty", "images without boxes"),
    el("label", {}, el("span", {}, "Order"), order));
  for (const form of document.forms) form.addEventListener("submit", (event) => event.preventDefault());
}

function toggle(set, one) {
  if (set.has(one)) set.delete(one); else set.add(one);
}

/** After classes or outcomes were chosen: images without any of them step back, until everything is shown again. */
function follow() {
  state.empty = !narrowed();
  draw(true);
}

function buildPanel() {
  const search = gallery.classes.length > FEW ? el("input", { type: "search", placeholder: "Find a class", "aria-label": "Find a class",
    on: { input: (event) => { for (const row of rows.values()) row.hidden = !row.dataset.name.includes(event.target.value.toLowerCase()); } } }) : null;
  const counts = look().classes;
  const sum = (label) => Object.values(counts[label]).reduce((a, b) => a + b, 0);
  const order = gallery.classes.map((_, label) => label).sort((a, b) => sum(b) - sum(a) || a - b);
  for (const label of order) {
    const { name, color } = gallery.classes[label];
    const swatch = el("span", { class: "swatch", "aria-hidden": "true", style: { background: color } });
    const button = el("button", { type: "button", on: { click: () => { toggle(state.picked, label); follow(); } } }, known ? "" : swatch, el("span", {}, name));
    rows.set(label, el("tr", { "data-name": name.toLowerCase() }, el("th", { scope: "row" }, button), Object.keys(KINDS).map((kind) => el("td", { class: `number ${kind}` }))));
  }
  const all = el("button", { type: "button", id: "all", class: "link", on: { click: () => { state.picked.clear(); follow(); } } }, "all classes");
  const heads = Object.entries(KINDS).map(([kind, { name, sign }]) => el("th", { scope: "col", class: `number ${kind}`, title: name }, el("abbr", { title: name }, sign || "count")));
  const open = matchMedia("(min-width: 900px)").matches;
  at("panel").replaceChildren(el("details", { open },
    el("summary", {}, el("h2", {}, "Classes"), el("span", { id: "picked", class: "quiet" })),
    el("div", { class: "finder" }, search, all),
    el("div", { class: "list" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Class"), heads)), el("tbody", {}, [...rows.values()])))));
}

const rows = new Map();

/** The filters as the state has them, with the counts of this moment. */
function drawFilters({ classes, sums }) {
  const form = at("bar");
  form.querySelector("output").textContent = shown(state.score * gallery.parts);
  form.querySelector("#score").value = state.score;
  at("arrange").querySelector("select").value = state.order;
  for (const box of at("arrange").querySelectorAll("[type=checkbox]")) box.checked = state[box.name];
  for (const button of form.querySelectorAll("[data-kind]")) {
    button.setAttribute("aria-pressed", String(state.kinds.has(button.dataset.kind)));
    button.querySelector("strong").textContent = sums[button.dataset.kind].toLocaleString("en");
  }
  for (const [label, row] of rows) {
    row.querySelector("button").setAttribute("aria-pressed", String(state.picked.has(label)));
    Object.keys(KINDS).forEach((kind, place) => {
      const cell = row.cells[place + 1];
      cell.textContent = state.kinds.has(kind) ? classes[label][kind].toLocaleString("en") : "–";
      cell.classList.toggle("none", !state.kinds.has(kind) || !classes[label][kind]);
    });
  }
  at("all").hidden = !state.picked.size;
  at("picked").textContent = state.picked.size ? `${state.picked.size} of ${gallery.classes.length}` : String(gallery.classes.length);
}
