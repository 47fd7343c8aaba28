// The page: one state, drawn anew whenever it changes.

const board = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const state = { table: 0, cost: null, sort: { key: "rank", way: "up" }, open: new Set(), rows: ROWS, text: "", family: "", license: "", most: "" };

const table = () => board.tables[state.table];

/** The state as the end of the page's address, so that a view can be linked to; what it begins with is left out. */
function address() {
  const said = new URLSearchParams();
  if (state.table) said.set("data", table().data);
  if (state.sort.key !== "rank" || state.sort.way !== "up") said.set("sort", `${state.sort.key} ${state.sort.way}`);
  for (const name of ["cost", "text", "family", "license", "most"]) if (state[name]) said.set(name, state[name]);
  for (const name of state.open) said.append("row", name);
  return said.toString();
}

/** The state that an address asks for; what there is not is left as the page begins. */
function follow(hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const [key, way] = (said.get("sort") || "").split(" ");
  const there = COLUMNS.some((column) => column.key === key) && ["up", "down"].includes(way);
  Object.assign(state, {
    table: Math.max(0, board.tables.findIndex((one) => one.data === said.get("data"))),
    sort: there ? { key, way } : { key: "rank", way: "up" },
    cost: said.get("cost"), open: new Set(said.getAll("row")), rows: ROWS,
    text: said.get("text") || "", family: said.get("family") || "", license: said.get("license") || "", most: said.get("most") || "",
  });
  drawHead();
  drawFilters();
  for (const one of at("filters").elements) state[one.name] = one.value; // a choice that there is not is none
  draw();
  if (state.open.size) at("rows").querySelector("tr.open")?.scrollIntoView();
}

/** Whether a line passes the filters; an unknown licence or size passes only where nothing is asked of it. */
function passes(line) {
  const { name } = line.entry.model;
  const size = COSTS.parameters.of(line);
  return name.toLowerCase().includes(state.text.toLowerCase())
    && (!state.family || family(line) === state.family)
    && (!state.license || (state.license === "permissive" ? line.permissive : license(line) === state.license))
    && (!state.most || (known(size) && size <= Number(state.most)));
}

/** Draws what depends on the state. focus: a selector of what had the focus. */
function draw(focus) {
  if (!board.tables.length) return;
  const lines = table().lines.filter(passes);
  const families = looks(table().lines);
  const cost = costsOf(table().lines).includes(state.cost) ? state.cost : commonest(table().lines);
  drawScatter(at("plot"), lines, cost, families, openRow);
  const lacking = lines.filter((line) => !known(COSTS[cost].of(line))).length;
  const timed = cost === "latency" || cost === "memory";
  at("plot-note").textContent = [
    timed && table().hardware ? `Measured on ${table().hardware}: one image in, boxes out.` : "",
    lines.length - lacking <= FEW ? "Lines are 95 % intervals." : "Lines are 95 % intervals, of the models on the Pareto front.", lacking ? `Not drawn, for want of such a number${timed ? " from that hardware" : ""}: ${lacking} of ${lines.length}.` : ""].filter(Boolean).join(" ");
  at("count").textContent = `${lines.length} of ${table().lines.length} models`;
  drawTable(at("rows"), table(), lines, families, state, draw);
  for (const button of at("axes").children) button.setAttribute("aria-pressed", String(button.dataset.cost === cost));
  if (typeof focus === "string") at("rows").querySelector(focus)?.focus();
  const here = new URL(location);
  here.hash = address();
  history.replaceState(null, "", here);
}

function openRow(line) {
  const { name } = line.entry.model;
  state.open.add(name);
  draw(`tr[data-name="${CSS.escape(name)}"] button`);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  at("rows").querySelector(`tr[data-name="${CSS.escape(name)}"]`).scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
}

/** The row of a finding, in whichever table it is. */
function goTo(place, line) {
  state.table = place;
  Object.assign(state, { text: "", family: "", license: "", most: "" });
  drawHead();
  drawFilters();
  openRow(line);
}

/** What the checks found, by entry: those of a row in the row, which a press opens; those of an entry in no table here. */
function foundBy() {
  const groups = new Map();
  for (const one of board.findings) {
    const key = JSON.stringify([one.entry, one.data]);
    groups.set(key, [...(groups.get(key) || []), one]);
  }
  const several = board.tables.length > 1 || board.left_out.length;
  return [...groups.values()].map((some) => {
    const { entry, data } = some[0];
    const place = board.tables.findIndex((one) => one.data === data);
    const line = board.tables[place]?.lines.find((one) => one.entry.model.name === entry);
    const name = several ? `${entry} on ${data}` : entry;
    if (!line) return [false, el("li", {}, el("strong", {}, name), findings(some))];
    const checks = [...new Set(some.map((one) => one.check))].flatMap((check) => [" ", el("code", {}, check)]);
    return [true, el("li", {}, el("button", { type: "button", class: "link", on: { click: () => goTo(place, line) } }, name), checks)];
  });
}

function drawHead() {
  at("title").textContent = board.title;
  at("summary").textContent = board.summary || "";
  at("facts").textContent = `Protocol “${board.protocol}”. Made ${board.made} by detzoo ${board.version}.`;
  if (board.tables.length > 1) {
    at("tabs").replaceChildren(...board.tables.map((one, place) => el("button", { type: "button", "aria-pressed": String(place === state.table),
      on: { click: () => { state.table = place; drawHead(); drawFilters(); draw(); at("tabs").children[place].focus(); } } }, one.data)));
  }
  for (const card of document.querySelectorAll("section.card")) card.hidden = !board.tables.length;
  if (!board.tables.length) at("facts").textContent = `No row could be measured and put into a table. ${at("facts").textContent}`;
  if (board.tables.length) {
    const one = table();
    at("facts").textContent = `${counted(one.lines.length, "model")} on ${one.data}: ${one.images.toLocaleString("en")} images, ${one.boxes.toLocaleString("en")} boxes. ${at("facts").textContent}`;
  }
}

function drawFilters() {
  const lines = board.tables.length ? table().lines : [];
  const set = (name) => (event) => { state[name] = event.target.value; draw(); };
  const choice = (label, name, options) => el("label", {}, el("span", {}, label),
    el("select", { name, on: { change: set(name) } }, options.map(([value, text]) => el("option", { value, selected: state[name] === value }, text))));
  const licenses = [...new Set(lines.map(license))].sort().map((name) => [name, name === UNKNOWN ? "unknown" : name]);
  const families = [...new Set(lines.map(family))].sort().map((name) => [name, name]);
  const sizes = [1, 5, 10, 25, 50, 100].map((size) => [String(size), `up to ${size} M`]);
  at("filters").replaceChildren(
    el("label", {}, el("span", {}, "Name"), el("input", { type: "search", name: "text", value: state.text, placeholder: "any", on: { input: set("text") } })),
    choice("Family", "family", [["", "all"], ...families]),
    choice("Licence", "license", [["", "all"], ["permissive", "permissive"], ...licenses]),
    choice("Size", "most", [["", "any"], ...sizes]));
  at("axes").replaceChildren(...costsOf(lines).map((key) => el("button", { type: "button", "data-cost": key,
    on: { click: () => { state.cost = key; draw(); } } }, COSTS[key].name)));
}

function drawNotes() {
  const list = (title, items) => (items.length ? el("details", { class: "card problems" }, el("summary", {}, title), el("ul", {}, items)) : null);
  const found = foundBy();
  const of = (there) => found.filter(([inTable]) => inTable === there).map(([, item]) => item);
  at("problems").replaceChildren(...[
    list(`The checks found something in ${counted(of(true).length, "row")}${board.tables.length > 1 ? " of all data sets" : ""}`, of(true)),
    list(`In no table, because of what the checks found: ${counted(of(false).length, "entry", "entries")}`, of(false)),
    list(`Not measured: ${counted(board.failures.length, "row")}`, board.failures.map((one) => el("li", {}, `${one.name}${one.data ? ` on ${one.data}` : ""}: ${one.why}`))),
  ].filter(Boolean));
  const settings = Object.entries(board.settings).map(([name, value]) => `${name} ${known(value) ? value : "open"}`).join(", ");
  at("notes").replaceChildren(
    el("p", {}, "A rank is the places that a model may have: behind all that are significantly better on the same resampled images, before all that are significantly worse, at 95 % for all comparisons of the table together."),
    el("p", {}, "Intervals say where AP would lie on other data of the same size. A claim is compared only where it was made on this data set."),
    settings ? el("p", {}, `Protocol “${board.protocol}”: ${settings}.`) : "");
}

drawNotes();
follow(location.hash);
addEventListener("hashchange", () => { if (location.hash.includes("=")) follow(location.hash); }); // the link to the table has none
let width = at("plot").clientWidth;
new ResizeObserver(() => { if (at("plot").clientWidth !== width) { width = at("plot").clientWidth; draw(); } }).observe(at("plot"));
at("filters").addEventListener("submit", (event) => event.preventDefault());
