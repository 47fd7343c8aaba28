// The grid: a tile an image, whose boxes are drawn while it is near the window.

const near = new Set();
const tiles = gallery.images.map(tile);
let entries = []; // those that are listed, in their order
let order = []; // places of all images, in the order of the tiles

const watcher = new IntersectionObserver((changes) => {
  for (const { target, isIntersecting } of changes) {
    const one = tiles[Number(target.dataset.place)];
    if (isIntersecting) { near.add(one); drawTile(one); } else near.delete(one);
  }
}, { rootMargin: "600px 0px" });

function tile(image, place) {
  const aspect = Math.min(Math.max(image.width / image.height, 0.4), 4);
  const img = el("img", { alt: "", decoding: "async", width: image.width, height: image.height });
  const over = svg("svg", { viewBox: `0 0 ${gallery.parts} ${gallery.parts}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const button = el("button", { type: "button", on: { click: () => openViewer(place) } },
    el("span", { class: "image", style: { "aspect-ratio": `${image.width} / ${image.height}` } }, img, over));
  const note = el("span", { class: "counts" });
  const figure = el("figure", { class: "tile", "data-place": place, style: { "--aspect": aspect.toFixed(3) } },
    button, el("figcaption", {}, el("span", { class: "name", title: image.name }, shortName(image.name)), note));
  return { image, place, figure, button, img, over, note, entry: null, drawn: null };
}

/** The end of a path, which tells images apart. */
function shortName(name) {
  return name.split("/").at(-1) || name;
}

function drawTile(one) {
  if (!one.img.hasAttribute("src")) one.img.src = one.image.jpeg;
  if (!one.entry || one.drawn === one.entry) return;
  one.drawn = one.entry;
  const looks = new Map();
  for (const box of one.entry.boxes) {
    const key = known ? box.kind : box.label;
    if (!looks.has(key)) looks.set(key, []);
    looks.get(key).push(box);
  }
  one.over.classList.toggle("fine", one.entry.boxes.length > 10);
  one.over.replaceChildren(...[...looks.values()].flatMap((some) => outline(some)));
}

/** Paths around boxes of one look: a dark rim, and the line itself. */
function outline(some) {
  const d = some.map(({ box: [x, y, width, height] }) => `M${x} ${y}h${width}v${height}h${-width}z`).join("");
  const line = svg("path", { class: `line ${some[0].kind}`, d });
  if (!known) line.style.setProperty("stroke", gallery.classes[some[0].label].color);
  return [svg("path", { class: "rim", d }), line];
}

/** Shows the tiles that pass; sort: in the order that is asked for, else as they lie. */
function drawTiles(all, sort) {
  if (sort) order = ordered(all).map((entry) => entry.place);
  entries = order.map((place) => all[place]).filter((entry) => state.empty || entry.total || (state.annotated && entry.boxes.length));
  const listed = new Set(entries);
  const grid = at("images");
  order.forEach((place, position) => {
    const [one, entry] = [tiles[place], all[place]];
    one.entry = entry;
    one.figure.hidden = !listed.has(entry);
    one.note.replaceChildren(...countsOf(entry));
    one.button.setAttribute("aria-label", `${entry.image.name}: ${wordsOf(entry)}`);
    if (grid.children[position] !== one.figure) grid.insertBefore(one.figure, grid.children[position] || null);
  });
  for (const one of near) if (!one.figure.hidden) drawTile(one);
}

/** The counts of an image as signs; classes where no truth is known. */
function countsOf(entry) {
  if (known) return Object.entries(KINDS).filter(([kind]) => entry.counts[kind]).map(([kind, { sign }]) => el("span", { class: `of ${kind}` }, `${sign} ${entry.counts[kind]}`));
  const names = new Map();
  for (const { label } of entry.boxes) names.set(label, (names.get(label) || 0) + 1);
  const some = [...names].sort(([, a], [, b]) => b - a);
  return [some.length ? some.map(([label, count]) => (count > 1 ? `${gallery.classes[label].name} ×${count}` : gallery.classes[label].name)).join(", ") : "nothing"];
}

function wordsOf(entry) {
  const some = Object.entries(KINDS).filter(([kind]) => entry.counts[kind]);
  if (!some.length) return "no box";
  return some.map(([kind, { one }]) => (known ? `${entry.counts[kind]} ${one}` : counted(entry.counts[kind], one))).join(", ");
}
