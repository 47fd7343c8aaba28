// The table: columns as data; sorting, filtering, and rows that open.

const ROWS = 100; // at once: drawing a thousand takes a phone seconds
const COLUMNS = [
  { key: "rank", name: "Rank", of: (line) => line.ranks[0], show: ranks, first: "up", keep: true, always: true, about: "The places it may have: those before are significantly better, those behind significantly worse" },
  { key: "model", name: "Model", of: (line) => line.entry.model.name.toLowerCase(), first: "up", keep: true, always: true, text: true },
  { key: "ap", name: "AP", of: accuracy, show: withInterval, keep: true, always: true, about: "Mean over IoU .5 to .95 and classes, in percent, with its 95 % interval" },
  ...[["AP50", "AP50", "At IoU .5"], ["AP75", "AP75", "At IoU .75"], ["APs", "Small", "Boxes under 32² pixels"], ["APm", "Medium", "Boxes of 32² to 96² pixels"], ["APl", "Large", "Boxes above 96² pixels"]]
    .map(([key, name, about]) => ({ key, name, about, of: (line) => line.entry.report.numbers[key], show: (line) => percent(line.entry.report.numbers[key]) })),
  { key: "parameters", name: "Params", unit: "M", of: COSTS.parameters.of, show: (line) => short(COSTS.parameters.of(line)), first: "up" },
  { key: "gflops", name: "Ops", unit: "GFLOPs", of: COSTS.gflops.of, show: (line) => short(COSTS.gflops.of(line)), first: "up", about: "Of one forward pass; a multiply-add is two" },
  { key: "latency", name: "Latency", unit: "ms", of: COSTS.latency.of, show: withTail, first: "up", keep: true, about: "Median and 95th percentile: one image in, boxes out, warm" },
  { key: "memory", name: "Memory", unit: "MB", of: COSTS.memory.of, show: (line) => short(line.entry.timing?.peak_mb), first: "up", about: "Peak of a process of its own" },
  { key: "weights", name: "Weights", unit: "MB", of: COSTS.weights.of, show: (line) => short(COSTS.weights.of(line)), first: "up" },
  { key: "license", name: "Licence", of: license, show: separately, first: "up", text: true },
  { key: "claim", name: "Claimed", of: (line) => line.claim?.value, show: claimed, about: "AP as published; on another data set where that is said" },
  { key: "gap", name: "Diff.", of: (line) => line.gap, show: (line) => signed(line.gap), about: "Measured less claimed, where both are on this data set" },
];

function withInterval(line) {
  const interval = line.entry.report.intervals.AP;
  return el("span", { class: "stack" }, el("strong", {}, percent(line.entry.report.numbers.AP)), el("small", {}, interval ? range(interval) : ""));
}

function withTail(line) {
  const { timing } = line.entry;
  if (!timing) return UNKNOWN;
  const tail = `p95 ${short(timing.p95_ms)}`;
  return el("span", { class: "stack", title: line.elsewhere ? `On ${line.elsewhere}: not to be compared with the others` : null },
    short(timing.median_ms), el("small", {}, tail), line.elsewhere ? el("small", { class: "elsewhere" }, `on ${line.elsewhere}`) : null);
}

/** Each licence is a word of its own, unless it is too long for that. */
function separately(line) {
  return licenses(line).map((name, at) => el("span", { class: name.length > 16 ? "long" : "whole" }, at ? ` / ${name}` : name));
}

function claimed(line) {
  if (!line.claim) return UNKNOWN;
  return el("span", { class: "stack" }, String(line.claim.value), known(line.gap) ? "" : el("small", {}, breakable(line.claim.dataset)));
}

/** Lines by a column; what is not known comes last, whichever way. */
function sorted(lines, { key, way }) {
  const { of } = COLUMNS.find((column) => column.key === key);
  const sign = way === "up" ? 1 : -1;
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
  return [...lines].sort((a, b) => {
    const [one, two] = [of(a), of(b)];
    if (!known(one) || !known(two)) return known(two) - known(one);
    return sign * compare(one, two);
  });
}

/** The columns that have something to say of some of the lines. */
const columnsOf = (lines) => COLUMNS.filter((column) => column.always || lines.some((line) => known(column.of(line))))
  .map((column, place, all) => ({ ...column, keep: column.keep || (column.key === "parameters" && !all.some((one) => one.key === "latency")) }));

/** The table: those of its lines that pass the filters; of many only the first, and the open ones. state: sort, names of the open rows and how many
 * rows there are at most. change: called after one of them has changed. */
function drawTable(place, table, shown, families, state, change) {
  const columns = columnsOf(table.lines);
  const head = el("tr", {}, columns.map((column) => heading(column, state, change)));
  const ordered = sorted(shown, state.sort);
  const some = ordered.filter((line, at) => at < state.rows || state.open.has(line.entry.model.name));
  const body = some.flatMap((line) => row(line, columns, table, families, state, change));
  const left = shown.length - some.length;
  const step = Math.min(left, ROWS);
  const next = ordered.find((line) => !some.includes(line))?.entry.model.name;
  const more = () => { state.rows += ROWS; change(`tr[data-name="${CSS.escape(next)}"] button`); };
  place.replaceChildren(el("table", { class: "board" }, el("thead", {}, head), el("tbody", {}, body)));
  if (left) place.append(el("button", { type: "button", class: "link more", on: { click: more } }, step < left ? `${step} more rows, of ${left}` : counted(left, "more row")));
}

function heading(column, state, change) {
  const mine = state.sort.key === column.key;
  const turn = () => {
    const first = column.first || "down";
    state.sort = { key: column.key, way: mine ? (state.sort.way === "up" ? "down" : "up") : first };
    change(`th[data-key="${column.key}"] button`);
  };
  const way = { up: "ascending", down: "descending" }[state.sort.way];
  return el("th", { scope: "col", "data-key": column.key, class: kind(column), "aria-sort": mine ? way : "none", title: column.about },
    el("button", { type: "button", on: { click: turn } }, el("span", {}, column.name, column.unit ? el("small", {}, column.unit) : null),
      el("span", { class: "arrow", "aria-hidden": "true" }, mine ? (state.sort.way === "up" ? "▲" : "▼") : "")));
}

const kind = (column) => `${column.text ? "text" : "number"} ${column.keep ? "" : "spare"} c-${column.key}`;

function row(line, columns, table, families, state, change) {
  const { name } = line.entry.model;
  const open = state.open.has(name);
  const turn = () => {
    if (open) state.open.delete(name); else state.open.add(name);
    change(`tr[data-name="${CSS.escape(name)}"] button`);
  };
  const shown = el("tr", { class: open ? "line open" : "line", "data-name": name, on: { click: (event) => { if (!event.target.closest("button, a")) turn(); } } },
    columns.map((column) => el("td", { class: kind(column) }, column.key === "model" ? title(line, families, open, turn) : column.show(line))));
  return open ? [shown, el("tr", { class: "inside" }, el("td", { colspan: columns.length }, drawReport(line, table)))] : [shown];
}

function title(line, families, open, turn) {
  const { model } = line.entry;
  const look = families.get(family(line));
  const mark = svg("svg", { width: 14, height: 14, viewBox: "-8 -8 16 16", "aria-hidden": "true", style: { color: look.color } }, svg("path", { class: "mark", d: look.shape }));
  return el("div", { class: "title" },
    el("button", { type: "button", class: "opener", "aria-expanded": String(open), on: { click: turn } }, mark, el("span", { class: "label", title: model.name }, breakable(model.name))),
    el("span", { class: "under" }, family(line),
      trained(line) ? null : el("span", { class: "badge" }, "random weights"),
      line.entry.protocol.engine ? el("span", { class: "badge" }, line.entry.protocol.engine) : null,
      line.findings.length ? el("span", { class: "badge warn" }, `⚠ ${line.findings.length}`) : null));
}
