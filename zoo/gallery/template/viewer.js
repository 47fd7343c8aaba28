// The larger view of one image, with a list of its boxes; arrows lead to the next.

const viewer = at("viewer");

function buildViewer() {
  const button = (label, sign, press) => el("button", { type: "button", "aria-label": label, title: label, on: { click: press } }, sign);
  viewer.replaceChildren(
    el("div", { class: "head" },
      el("div", { class: "title" }, el("h2", { id: "viewer-name" }), el("p", { id: "viewer-place", class: "quiet", role: "status" })),
      button("Previous image", "‹", () => step(-1)), button("Next image", "›", () => step(1)), button("Close", "✕", () => viewer.close())),
    el("div", { class: "body" },
      el("div", { class: "room" }, el("div", { id: "stage" })),
      el("div", { id: "boxes", tabindex: 0, role: "region", "aria-label": "Boxes" })));
  viewer.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (way && !event.altKey && !event.ctrlKey && !event.metaKey) { event.preventDefault(); step(way); }
    if (event.key === "Home") { event.preventDefault(); step(-Infinity); }
    if (event.key === "End") { event.preventDefault(); step(Infinity); }
  });
  viewer.addEventListener("close", () => {
    const last = state.open;
    state.open = null;
    remember();
    if (last !== null) { tiles[last].button.focus({ preventScroll: true }); tiles[last].figure.scrollIntoView({ block: "nearest" }); }
  });
  viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
  let began = null;
  viewer.addEventListener("touchstart", (event) => { began = event.touches.length === 1 ? event.touches[0] : null; }, { passive: true });
  viewer.addEventListener("touchend", (event) => {
    if (!began || (window.visualViewport?.scale ?? 1) > 1.01) return;
    const [far, up] = [event.changedTouches[0].clientX - began.clientX, event.changedTouches[0].clientY - began.clientY];
    if (Math.abs(far) > 50 && Math.abs(far) > 2 * Math.abs(up)) step(far < 0 ? 1 : -1);
  }, { passive: true });
}

function openViewer(place) {
  state.open = place;
  drawViewer();
  if (!viewer.open) viewer.showModal();
  remember();
}

/** The image so many places further among those that are listed; the ends are ends. */
function step(far) {
  const here = entries.findIndex((entry) => entry.place === state.open);
  const next = entries[Math.min(Math.max(here + far, 0), entries.length - 1)];
  if (next && next.place !== state.open) openViewer(next.place);
}

function drawViewer() {
  const { image, entry } = tiles[state.open];
  const here = entries.findIndex((one) => one.place === state.open);
  at("viewer-name").textContent = shortName(image.name);
  at("viewer-name").title = image.name;
  at("viewer-place").textContent = `${here + 1} of ${entries.length} · ${image.width} × ${image.height} · ${wordsOf(entry)}`;
  const order = [...entry.boxes].map((box, place) => ({ ...box, place }));
  const marks = order.map(mark);
  const light = (place, on) => {
    for (const mark of marks[place]) mark.classList.toggle("lit", on);
    at("stage").classList.toggle("dim", on);
    at("boxes").querySelector(`[data-box="${place}"]`)?.classList.toggle("lit", on);
  };
  const over = svg("svg", { viewBox: `0 0 ${gallery.parts} ${gallery.parts}`, preserveAspectRatio: "none", "aria-hidden": "true" });
  const labels = el("div", { class: order.length > (innerWidth < 700 ? 12 : 40) ? "labels quietly" : "labels", "aria-hidden": "true" });
  // the small above the large, so that each can be pointed at
  const byArea = [...order].sort((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
  for (const box of byArea) {
    const [group, label] = marks[box.place];
    group.addEventListener("pointerenter", () => light(box.place, true));
    group.addEventListener("pointerleave", () => light(box.place, false));
    over.append(group);
    labels.append(label);
  }
  at("stage").style.setProperty("--aspect", String(image.width / image.height));
  at("stage").replaceChildren(el("img", { src: image.jpeg, alt: `${image.name}: ${wordsOf(entry)}` }), over, labels);
  at("boxes").replaceChildren(listing(order, light), image.more ? el("p", { class: "quiet" }, `${counted(image.more, "weaker detection")} of this image ${image.more === 1 ? "is" : "are"} not on this page.`) : "");
}

/** A box on the large image: its lines, and its name in HTML, which keeps letters upright. */
function mark(one) {
  const [x, y, width, height] = one.box;
  const lines = outline([one]);
  const group = svg("g", { class: `mark ${one.kind}` }, svg("rect", { class: "target", x, y, width, height }), lines);
  const share = (value) => `${100 * value / gallery.parts}%`;
  const below = y < 0.05 * gallery.parts;
  const color = gallery.classes[one.label].color;
  const label = el("span", { class: `label ${one.kind} ${below ? "below" : ""} ${x > 0.75 * gallery.parts ? "left" : ""}`,
    style: { ...(x > 0.75 * gallery.parts ? { right: share(gallery.parts - x - width) } : { left: share(x) }), top: share(y), ...(known ? {} : { "--color": color }) } }, textOf(one));
  return [group, label];
}

const textOf = (one) => [KINDS[one.kind]?.sign, gallery.classes[one.label].name, one.score === null ? "" : shown(one.score)].filter(Boolean).join(" ");

const WORDS = { hit: "found", miss: "missed", false: "false alarm", aside: "on a group, does not count", crowd: "group, does not count", annotated: "annotated, found", box: "" };

function listing(order, light) {
  if (!order.length) return el("p", { class: "quiet" }, "No box passes the filters.");
  const row = (one) => el("tr", { "data-box": one.place, on: { pointerenter: () => light(one.place, true), pointerleave: () => light(one.place, false) } },
    el("th", { scope: "row" }, sample(one.kind, gallery.classes[one.label].color), el("span", {}, gallery.classes[one.label].name)),
    known ? el("td", {}, WORDS[one.kind]) : null,
    el("td", { class: "number" }, one.score === null ? "–" : shown(one.score)));
  return el("table", {}, el("thead", {}, el("tr", {}, ["Class", ...(known ? ["Outcome"] : []), "Score"].map((name) => el("th", { scope: "col" }, name)))),
    el("tbody", {}, order.map(row)));
}

/** A short piece of the line that boxes of a kind are drawn with. */
function sample(kind, color) {
  const line = svg("path", { class: `line ${kind}`, d: "M2 2h22v12h-22z" });
  if (!known) line.style.setProperty("stroke", color);
  return svg("svg", { class: "sample", width: 26, height: 16, viewBox: "0 0 26 16", "aria-hidden": "true" }, line);
}
