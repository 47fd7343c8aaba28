// The data of the page, what is asked of it, and what passes.

const gallery = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const known = gallery.iou !== null;

// The kinds of boxes: how each is called, its sign, and the words on a count of them.
const KINDS = known
  ? {
    hit: { name: "Found", sign: "✓", one: "found", about: "detections that find an annotated box" },
    miss: { name: "Missed", sign: "○", one: "missed", about: "annotated boxes that no detection finds" },
    false: { name: "False alarms", sign: "✕", one: "false", about: "detections that find no annotated box" },
  }
  : { box: { name: "Detections", sign: "", one: "detection", about: "" } };
const ORDERS = { given: known ? "worst first" : "as given", boxes: "most boxes", score: "highest score", doubt: "lowest score", name: "name" };

const state = { score: gallery.score, picked: new Set(), kinds: new Set(Object.keys(KINDS)), annotated: false, empty: true, order: "given", open: null };

const shown = (score) => (score / gallery.parts).toFixed(2).replace(/^0(?=\.)/, "");
const counted = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
const percent = (part, whole) => (whole ? `${(100 * part / whole).toFixed(1)} %` : "–");

/** Every box of an image at the threshold, whatever else is filtered: { kind, label, score, box }. */
function boxesOf(image) {
  const least = Math.round(state.score * gallery.parts);
  const taken = new Set();
  const boxes = [];
  for (const [label, score, x, y, width, height, finds] of image.found) {
    if (score < least) break; // they are best first
    if (finds >= 0) taken.add(finds);
    const kind = !known ? "box" : finds >= 0 ? "hit" : finds === -1 ? "false" : "aside";
    boxes.push({ kind, label, score, box: [x, y, width, height] });
  }
  image.truth.forEach(([label, x, y, width, height, crowd], place) => {
    const kind = crowd ? "crowd" : taken.has(place) ? "annotated" : "miss";
    boxes.push({ kind, label, score: null, box: [x, y, width, height] });
  });
  return boxes;
}

const picks = (label) => !state.picked.size || state.picked.has(label);

/** Whether a box is drawn: it is of a kind and class that are asked for. */
function passes({ kind, label }) {
  if (!picks(label)) return false;
  return kind in KINDS ? state.kinds.has(kind) : state.annotated && kind !== "box";
}

const narrowed = () => state.picked.size > 0 || state.kinds.size < Object.keys(KINDS).length;

/** An empty count of every kind. */
const nothing = () => Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, 0]));

/** What there is at this moment: an entry an image, counts a class, and sums of all classes that are picked. */
function look() {
  const classes = gallery.classes.map(nothing);
  const sums = nothing();
  const entries = gallery.images.map((image, place) => {
    const boxes = boxesOf(image);
    const counts = nothing();
    for (const box of boxes) {
      if (!(box.kind in KINDS)) continue;
      classes[box.label][box.kind] += 1;
      if (picks(box.label)) sums[box.kind] += 1;
      if (passes(box)) counts[box.kind] += 1;
    }
    const passing = boxes.filter(passes);
    return { place, image, boxes: passing, counts, total: Object.values(counts).reduce((a, b) => a + b, 0) };
  });
  return { entries, classes, sums };
}

/** The order of images that is asked for. */
function ordered(entries) {
  const best = (entry) => entry.boxes.find((box) => box.score !== null)?.score ?? -1;
  const least = (entry) => entry.boxes.findLast((box) => box.score !== null)?.score ?? Infinity;
  const by = {
    given: () => 0,
    boxes: (a, b) => b.total - a.total,
    score: (a, b) => best(b) - best(a),
    doubt: (a, b) => least(a) - least(b),
    name: (a, b) => a.image.name.localeCompare(b.image.name, "en", { numeric: true }),
  };
  if (known) by.given = (a, b) => b.counts.miss + b.counts.false - a.counts.miss - a.counts.false;
  return [...entries].sort((a, b) => by[state.order](a, b) || a.place - b.place);
}
