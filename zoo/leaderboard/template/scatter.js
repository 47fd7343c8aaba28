// Accuracy against cost: a point a model, its interval, and the front of those that no other beats in both.

const COSTS = {
  latency: { name: "Latency", unit: "ms, median", of: (line) => here(line)?.median_ms },
  parameters: { name: "Parameters", unit: "millions", of: (line) => scaled(line.entry.model.parameters, 1e-6) },
  gflops: { name: "Operations", unit: "GFLOPs", of: (line) => line.entry.timing?.gflops },
  weights: { name: "Weights", unit: "MB", of: (line) => scaled(line.entry.model.weights.bytes, 1e-6) },
  memory: { name: "Memory", unit: "MB, peak", of: (line) => here(line)?.peak_mb },
};
const SHAPES = ["M0-6A6 6 0 1 1 0 6A6 6 0 1 1 0-6Z", "M-5.5-5.5H5.5V5.5H-5.5Z", "M0-7L7 0L0 7L-7 0Z", "M0-7L6.5 5H-6.5Z", "M0 7L6.5-5H-6.5Z"];
const COLORS = 6;
const FEW = 60; // points whose intervals can be told from each other

/** The timing of a line, where it was taken on the hardware of its table: those of two machines are not comparable. */
const here = (line) => (line.elsewhere ? null : line.entry.timing);
const scaled = (value, factor) => (known(value) ? value * factor : null);
const accuracy = (line) => scaled(line.entry.report.numbers.AP, 100);
const trained = (line) => line.entry.model.weights.source !== "random";
const family = (line) => line.entry.model.family || "other";

/** Colour and shape of each family, in the order they first appear. */
function looks(lines) {
  const names = [...new Set(lines.map(family))];
  return new Map(names.map((name, at) => [name, { color: `var(--family-${at % COLORS})`, shape: SHAPES[at % SHAPES.length] }]));
}

/** The costs that are known of some of the lines. */
const costsOf = (lines) => Object.keys(COSTS).filter((key) => lines.some((line) => known(COSTS[key].of(line))));

/** What a plot should begin with: the first cost that more than half of the lines have, else the one that most have. */
function commonest(lines) {
  const count = (key) => lines.filter((line) => known(COSTS[key].of(line))).length;
  const keys = Object.keys(COSTS);
  return keys.find((key) => 2 * count(key) > lines.length) || keys.reduce((best, key) => (count(key) > count(best) ? key : best));
}

/** The trained lines that no other beats in accuracy at the same or less cost, cheapest first. */
function front(lines, cost) {
  const sorted = lines.filter(trained).sort((a, b) => cost(a) - cost(b) || accuracy(b) - accuracy(a));
  let best = -Infinity;
  return sorted.filter((line) => accuracy(line) > best && ((best = accuracy(line)), true));
}

/** Draws the plot into a place as wide as it is. open: called with the line of a point that is chosen. */
function drawScatter(place, lines, costName, families, open) {
  const cost = COSTS[costName];
  const there = lines.filter((line) => known(cost.of(line)) && known(accuracy(line)));
  const width = Math.max(place.clientWidth, 280);
  const height = width < 600 ? 300 : 380;
  const box = { left: 44, right: width - 16, top: 30, bottom: height - 48 };
  place.replaceChildren();
  if (!there.length) {
    place.append(el("p", { class: "empty" }, `No model here has a known ${cost.name.toLowerCase()}.`));
    return;
  }
  const { x, y } = scatterScales(there, cost, box);
  const tip = el("div", { class: "tip", role: "status", hidden: true });
  const drawing = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `AP against ${cost.name}` },
    axes(box, x, y), frontLine(front(there, cost.of), cost, x, y, box));
  const best = new Set(front(there, cost.of));
  const few = there.length <= FEW;
  const ordered = [...there.filter((line) => !best.has(line)), ...best]; // the front is drawn over the others
  const points = (few ? there : ordered).map((line) => point(line, { cost, x, y, look: families.get(family(line)), tip, place, open, best: best.has(line), few }));
  drawing.append(...points);
  place.append(drawing, tip, legend(there, families));
  nameThem(drawing, few ? there : [...best], cost, x, y, box);
}

function scatterScales(lines, cost, box) {
  const costs = lines.map(cost.of);
  const ends = lines.flatMap((line) => {
    const interval = line.entry.report.intervals.AP;
    return interval ? [100 * interval.low, 100 * interval.high] : [accuracy(line)];
  });
  const wide = [Math.min(...costs) / 1.35, Math.max(...costs) * 1.35];
  const tall = [Math.max(0, Math.min(...ends) - 2), Math.min(100, Math.max(...ends) + 2)];
  const room = (box.right - box.left) / 70;
  return {
    x: { at: scale(wide, [box.left, box.right], true), ticks: logTicks(wide, room), show: String, name: `${cost.name} (${cost.unit})` },
    y: { at: scale(tall, [box.bottom - 10, box.top]), ticks: ticks(tall, 6), show: String, name: "AP, in percent" },
  };
}

function frontLine(best, cost, x, y, box) {
  if (!best.length) return null;
  const corners = best.map((line, at) => (at ? `H${x.at(cost.of(line))}V${y.at(accuracy(line))}` : `M${x.at(cost.of(line))} ${y.at(accuracy(line))}`));
  return svg("path", { class: "front", d: `${corners.join("")}H${box.right}` });
}

function point(line, { cost, x, y, look, tip, place, open, best, few }) {
  const [left, top] = [x.at(cost.of(line)), y.at(accuracy(line))];
  const interval = line.entry.report.intervals.AP;
  const name = line.entry.model.name;
  const words = `${name}: AP ${percent(line.entry.report.numbers.AP)}, ${cost.name} ${short(cost.of(line))} ${cost.unit}`;
  const show = () => {
    tip.replaceChildren(el("strong", {}, name), el("span", {}, `AP ${percent(line.entry.report.numbers.AP)} (${range(interval)})`),
      el("span", {}, `${cost.name} ${short(cost.of(line))} ${cost.unit}`), best ? el("span", { class: "quiet" }, "on the Pareto front") : null);
    tip.hidden = false;
    const room = place.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${Math.max(8, Math.min(left + 14, room))}px`;
    tip.style.top = `${Math.max(4, top - tip.offsetHeight - 10)}px`;
  };
  const hide = () => { tip.hidden = true; };
  const choose = (event) => {
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    open(line);
  };
  return svg("g", { class: few || best ? "point" : "point one-of-many", tabindex: few || best ? 0 : -1, role: "button", "aria-label": words, style: { color: look.color },
    on: { pointerenter: show, pointerleave: hide, focus: show, blur: hide, click: choose, keydown: choose } },
  interval && (few || best) ? svg("line", { class: "whisker", x1: left, x2: left, y1: y.at(100 * interval.low), y2: y.at(100 * interval.high) }) : null,
  svg("circle", { class: "target", cx: left, cy: top, r: 16 }),
  svg("path", { class: "mark", d: look.shape, transform: `translate(${left} ${top})` }));
}

/** Names beside the points, where there is room for them. */
function nameThem(drawing, lines, cost, x, y, box) {
  const taken = lines.map((line) => around(x.at(cost.of(line)) - 8, y.at(accuracy(line)) - 8, 16, 16));
  const free = (one) => one.left >= box.left && one.right <= box.right && one.top >= box.top - 6 && one.bottom <= box.bottom
    && taken.every((other) => one.right < other.left || one.left > other.right || one.bottom < other.top || one.top > other.bottom);
  for (const line of [...lines].sort((a, b) => accuracy(b) - accuracy(a))) {
    const [left, top] = [x.at(cost.of(line)), y.at(accuracy(line))];
    const full = line.entry.model.name;
    const name = full.length > 36 ? `${full.slice(0, 35)}…` : full;
    const width = name.length * 6.6;
    const spots = [[left + 12, top - 6], [left - 12 - width, top - 6], [left - width / 2, top - 26], [left - width / 2, top + 12], [left + 12, top + 6], [left + 12, top - 20]];
    const spot = spots.find(([a, b]) => free(around(a, b, width, 14)));
    if (!spot) continue;
    taken.push(around(...spot, width, 14));
    drawing.append(svg("text", { class: "name", x: spot[0], y: spot[1] + 11, "aria-hidden": "true" }, name));
  }
}

const around = (left, top, width, height) => ({ left, top, right: left + width, bottom: top + height });

function legend(lines, families) {
  const names = [...new Set(lines.map(family))];
  const mark = (name) => svg("svg", { width: 16, height: 16, viewBox: "-8 -8 16 16", "aria-hidden": "true", style: { color: families.get(name).color } },
    svg("path", { class: "mark", d: families.get(name).shape }));
  return el("ul", { class: "legend" }, names.map((name) => el("li", {}, mark(name), name)),
    el("li", {}, svg("svg", { width: 22, height: 16, viewBox: "0 0 22 16", "aria-hidden": "true" }, svg("path", { class: "front", d: "M1 8H21" })), "Pareto front"));
}
