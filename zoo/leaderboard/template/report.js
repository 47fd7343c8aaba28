// What a row opens to: curves, mistakes, differences to the others, classes, examples, and where the numbers are from.

const MISTAKES = {
  class: "wrong class", location: "wrong place", both: "wrong class and place",
  duplicate: "found twice", background: "nothing there", missed: "not found",
};
// What is shown by another name already.
const SAID = new Set(["data", "data_sha256", "protocol_settings", "weights_sha256", "weights_source"]);
const CURVES = [["AP50", "IoU .5", "var(--family-0)"], ["AP", "mean over IoUs", "var(--family-1)"], ["AP75", "IoU .75", "var(--family-2)"]];

const NEAR = 20; // others that a model is shown against; of a thousand, nobody reads all

/** The whole report of a line of a table. */
function drawReport(line, table) {
  const { entry } = line;
  const { examples } = table;
  const others = comparisons(line, table);
  return el("div", { class: "report" },
    line.findings.length ? part("What the checks found", findings(line.findings), "wide") : null,
    part("Numbers", numbers(line)),
    part("Precision and recall", curves(entry.report.curves, entry.model.name)),
    entry.report.analyses ? part("What its mistakes cost", mistakes(entry.report.analyses.mistakes)) : null,
    others.length ? part("Against the others", versus(others)) : null,
    part("Classes", classes(entry.report.per_class), "double"),
    examples.length ? part("Images on which the models disagree", gallery(examples, entry.model.name), "wide") : null,
    part("Where the numbers are from", provenance(line), "wide"));
}

const part = (title, content, kind = "") => el("section", { class: `part ${kind}` }, el("h3", {}, title), content);

const findings = (some) => el("ul", { class: "findings" }, some.map((one) => el("li", {}, el("code", {}, one.check), ` ${one.field}: ${one.case} ${one.fix}`)));

function numbers(line) {
  const { model, report, timing } = line.entry;
  const of = (name) => (known(report.numbers[name]) ? `${percent(report.numbers[name])}  (${range(report.intervals[name])})` : null);
  const point = report.analyses?.operating;
  return facts([
    ["AP", of("AP")], ["AP50", of("AP50")], ["AP75", of("AP75")], ["AP small", of("APs")], ["AP medium", of("APm")], ["AP large", of("APl")],
    ["Recall, 100 boxes", of("AR100")],
    ["Best threshold", point ? `${fixed(point.score, 2)}, for F1 ${fixed(point.f1, 2)}` : null],
    ["Calibration error", report.analyses?.calibration ? fixed(report.analyses.calibration.d_ece, 3) : null],
    ["Claimed AP", line.claim ? `${line.claim.value} on ${line.claim.dataset}` : null],
    ["Measured less claimed", known(line.gap) ? signed(line.gap) : null],
    ["Parameters", known(model.parameters) ? model.parameters.toLocaleString("en") : null],
    ["Operations", timing?.gflops ? `${short(timing.gflops)} GFLOPs` : null],
    ["Latency", timing ? `${short(timing.median_ms)} ms median, ${short(timing.p95_ms)} ms at 95 %, on ${timing.hardware}` : null],
    ["Peak memory", timing?.peak_mb ? `${short(timing.peak_mb)} MB` : null],
    ["Weights", known(model.weights.bytes) ? `${short(model.weights.bytes / 1e6)} MB` : null],
    ["Licence", license(line)],
  ]);
}

function curves(known_, name) {
  const [width, height] = [360, 240];
  const box = { left: 40, right: width - 10, top: 26, bottom: height - 44 };
  const show = (value) => String(value);
  const x = { at: scale([0, 1], [box.left, box.right]), ticks: [0, 0.25, 0.5, 0.75, 1], show, name: "Recall" };
  const y = { at: scale([0, 1], [box.bottom, box.top]), ticks: [0, 0.25, 0.5, 0.75, 1], show, name: "Precision" };
  const there = CURVES.filter(([key]) => known_[key]?.length > 1);
  if (!there.length) return el("p", { class: "quiet" }, "There is nothing to find in this data set.");
  const lines = there.map(([key, , color]) => {
    const values = known_[key];
    const at = values.map((value, place) => `${x.at(place / (values.length - 1)).toFixed(1)} ${y.at(value).toFixed(1)}`);
    return svg("path", { class: "curve", d: `M${at.join("L")}`, style: { color } });
  });
  return el("figure", {},
    svg("svg", { class: "fluid", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Precision and recall of ${name}` }, axes(box, x, y), lines),
    el("ul", { class: "legend" }, there.map(([, label, color]) => el("li", {}, el("span", { class: "swatch", style: { background: color } }), label))));
}

function mistakes(found) {
  const rows = Object.entries(MISTAKES).filter(([kind]) => found.kinds[kind]);
  const most = Math.max(...rows.map(([kind]) => found.kinds[kind].cost), 1e-9);
  return el("table", { class: "bars" },
    el("thead", {}, el("tr", {}, ["Mistake", "AP50 lost", "Count"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.map(([kind, label]) => el("tr", {},
      el("th", { scope: "row" }, label),
      el("td", {}, meter(found.kinds[kind].cost / most, percent(found.kinds[kind].cost))),
      el("td", { class: "number" }, found.kinds[kind].count.toLocaleString("en"))))));
}

/** A bar as long as the share, with its number. */
function meter(share, text) {
  return el("span", { class: "meter" }, el("span", { class: "fill", style: { width: `${Math.max(0, Math.min(1, share)) * 100}%` } }), el("span", { class: "of" }, text));
}

/** What a line was compared with, from the columns of its table's pairs: the other's AP less its own, largest first. */
function comparisons(line, { lines, pairs }) {
  const own = pairs.models.indexOf(lines.indexOf(line));
  if (own < 0) return [];
  const count = pairs.models.length;
  const against = (model, other) => {
    const [low, high] = other < own ? [other, own] : [own, other];
    const place = (low * (2 * count - low - 1)) / 2 + high - low - 1;
    const difference = lines[model].entry.report.numbers.AP - line.entry.report.numbers.AP;
    const reach = pairs.reach[place];
    const interval = known(reach) ? { low: Math.max(-1, difference - reach), high: Math.min(1, difference + reach) } : null;
    return { name: lines[model].entry.model.name, difference, interval, p_value: pairs.p_values[place] };
  };
  return pairs.models.map(against).filter((_, other) => other !== own).sort((a, b) => b.difference - a.difference);
}

/** The nearest of many others, and all of them when asked for. */
function versus(others) {
  const nearest = [...others].sort((a, b) => Math.abs(a.difference) - Math.abs(b.difference)).slice(0, NEAR);
  const place = el("div", {}, forests(others.filter((one) => nearest.includes(one))));
  const words = "Lines: 95 % intervals of each pair alone. p: adjusted for all pairs of the table; up to 0.05, the better of the two is better for sure.";
  if (nearest.length === others.length) return [place, el("p", { class: "quiet" }, words)];
  const all = () => { place.replaceChildren(el("div", { class: "tall", tabindex: 0, role: "region", "aria-label": "All others" }, forests(others))); more.remove(); };
  const more = el("button", { type: "button", class: "link", on: { click: all } }, `All ${others.length} others`);
  return [place, more, el("p", { class: "quiet" }, `First the ${NEAR} nearest. ${words}`)];
}

function forests(others) {
  const most = others.reduce((far, { difference, interval }) => Math.max(far, ...(interval ? [-interval.low, interval.high] : [Math.abs(difference)])), 1e-6) * 1.05;
  const place = scale([-most, most], [0, 100]);
  return el("table", { class: "bars" },
    el("thead", {}, el("tr", {}, ["Other model", "Its AP, less this one's", ""].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, others.map((one) => el("tr", {},
      el("th", { scope: "row" }, breakable(one.name)),
      el("td", {}, forest(one, place)),
      el("td", { class: "number" }, `${signed(100 * one.difference)}, ${pValue(one.p_value)}`)))));
}

function forest(one, place) {
  const real = one.p_value <= 0.05;
  const interval = one.interval;
  return svg("svg", { class: `forest ${real ? "real" : ""}`, viewBox: "0 0 100 16", preserveAspectRatio: "none", role: "img",
    "aria-label": `${signed(100 * one.difference)}, ${real ? "significant" : "not significant"}` },
  svg("line", { class: "zero", x1: 50, x2: 50, y1: 0, y2: 16 }),
  interval ? svg("line", { class: "whisker", x1: place(interval.low), x2: place(interval.high), y1: 8, y2: 8 }) : null,
  svg("line", { class: "middle", x1: place(one.difference), x2: place(one.difference), y1: 3, y2: 13 }));
}

function classes(perClass) {
  const rows = Object.entries(perClass).filter(([, one]) => one.boxes).sort(([, a], [, b]) => (b.ap ?? -1) - (a.ap ?? -1));
  return el("div", { class: "tall", tabindex: 0, role: "region", "aria-label": "Classes" }, el("table", { class: "bars" },
    el("thead", {}, el("tr", {}, ["Class", "AP", "AP50", "Recall", "Boxes"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, rows.map(([name, one]) => el("tr", {},
      el("th", { scope: "row" }, breakable(name)),
      el("td", {}, meter(one.ap ?? 0, percent(one.ap))),
      [percent(one.ap50), percent(one.recall), one.boxes.toLocaleString("en")].map((text) => el("td", { class: "number" }, text)))))));
}

function gallery(examples, name) {
  return el("div", {},
    el("p", { class: "quiet" }, el("span", { class: "key hit" }, "right"), el("span", { class: "key miss" }, "wrong"), el("span", { class: "key true" }, "annotated"),
      " Boxes above each model's best threshold; the number is its F1 in the image."),
    el("div", { class: "gallery" }, examples.map((one) => example(one, name))));
}

function example(shown, name) {
  const over = svg("svg", { viewBox: `0 0 ${shown.width} ${shown.height}`, "aria-hidden": "true" });
  const buttons = shown.models.map((seen) => el("button", { type: "button", "aria-pressed": "false", on: { click: () => show(seen) } }, breakable(seen.name), ` ${fixed(seen.f1, 2)}`));
  const caption = el("figcaption", { class: "quiet" });
  const show = (seen) => {
    over.replaceChildren(...overlay(shown, seen));
    buttons.forEach((button, at) => button.setAttribute("aria-pressed", String(shown.models[at] === seen)));
    const right = seen.boxes.filter((box) => box.hit).length;
    caption.textContent = `Image ${shown.image}: ${right} of ${shown.truth.length} found by ${seen.name}, ${seen.boxes.length - right} wrong.`;
  };
  show(shown.models.find((seen) => seen.name === name) || shown.models[0]);
  return el("figure", { class: "picture" },
    el("div", { class: "image", style: { "aspect-ratio": `${shown.width} / ${shown.height}` } }, el("img", { src: shown.jpeg, alt: `Image ${shown.image}` }), over),
    el("div", { class: "choices", role: "group", "aria-label": "Whose boxes" }, buttons), caption);
}

function overlay(shown, seen) {
  const line = Math.max(shown.width, shown.height) / 160;
  const draw = (box, kind) => {
    const [left, top, width, height] = box.box;
    const spot = { x: left * shown.width, y: top * shown.height, width: width * shown.width, height: height * shown.height };
    return svg("rect", { class: kind, ...spot, "stroke-width": line },
      svg("title", {}, known(box.score) ? `${box.label} ${box.score.toFixed(2)}` : box.label));
  };
  return [...shown.truth.map((box) => draw(box, "true")), ...seen.boxes.map((box) => draw(box, box.hit ? "hit" : "miss"))];
}

function provenance(line) {
  const { model, report, protocol } = line.entry;
  const settings = Object.entries(protocol).map(([name, value]) => `${name} ${known(value) ? value : "open"}`).join(", ");
  return el("div", {},
    facts([
      ["Weights", model.weights.source], ["Weights' sha256", model.weights.sha256], ["Data set", line.entry.data],
      ["Annotations' sha256", report.measured.sha256], ["Protocol", settings], ["Note", model.note],
      ["Claim", line.claim?.source], ["Classes it does not know, 0 in the means", (report.measured.missing || []).join(", ")],
      ["Classes that the data set has not", Object.keys(report.measured.unmet).join(", ")],
      ...Object.entries(report.provenance || {}).filter(([key]) => !SAID.has(key)).map(([key, value]) => [key.replaceAll("_", " "), value]),
    ]),
    el("p", {}, el("a", { href: line.file }, "The entry as JSON"), ", with all replicates."));
}
