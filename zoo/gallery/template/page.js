// The page: one state, drawn again whenever it changes, and kept at the end of the address.

/** sort: whether images change places; not while a slider moves. */
function draw(sort = false) {
  const now = look();
  drawFilters(now);
  drawTiles(now.entries, sort);
  at("count").replaceChildren(...countLine(now));
  if (state.open !== null && viewer.open) drawViewer();
  remember();
}

function countLine({ sums }) {
  const list = `${counted(entries.length, "image")}${entries.length < gallery.images.length ? ` of ${gallery.images.length.toLocaleString("en")}` : ""}`;
  if (!known) return [`${list}, ${counted(entries.reduce((sum, entry) => sum + entry.total, 0), "detection")} with a score of ${shown(state.score * gallery.parts)} or more.`];
  const detections = sums.hit + sums.false;
  return [`${list}. At a score of ${shown(state.score * gallery.parts)} or more, ${percent(sums.hit, sums.hit + sums.miss)} of ${counted(sums.hit + sums.miss, "annotated box", "annotated boxes")} found, ${percent(sums.false, detections)} of ${counted(detections, "detection")} false.`];
}

function drawHead() {
  at("title").textContent = gallery.title;
  const left = gallery.total - gallery.images.length - gallery.unreadable.length;
  const lines = [...gallery.summary];
  if (known) lines.push(`A detection finds an annotated box of its class where they overlap by an IoU of ${gallery.iou} or more; the best detection comes first, and each box is found once.`);
  if (left > 0 || gallery.chosen) lines.push(`${counted(gallery.images.length, "image")} of ${gallery.total.toLocaleString("en")}: ${gallery.chosen}. Counts are of these.`);
  at("summary").replaceChildren(...lines.map((line, place) => el("p", { class: place < gallery.summary.length ? "" : "quiet" }, line)));
  at("problems").replaceChildren(...(gallery.unreadable.length ? [el("details", { class: "card problems" },
    el("summary", {}, `Could not be read: ${counted(gallery.unreadable.length, "image")}`),
    el("ul", {}, gallery.unreadable.map(([name, why]) => el("li", {}, el("strong", {}, name), ` ${why}`))))] : []));
  at("foot").replaceChildren(el("details", {}, el("summary", {}, el("h2", {}, "Where this page is from")), facts(gallery.facts)));
  if (!gallery.images.length) {
    at("bar").hidden = at("layout").hidden = true;
    at("summary").append(el("p", {}, "There is no image to show."));
  }
}

/** The state as the end of the page's address, so that a view can be kept; what it begins with is left out. */
function remember() {
  const said = new URLSearchParams();
  if (state.score !== gallery.score) said.set("score", state.score.toFixed(2));
  for (const label of state.picked) said.append("class", gallery.classes[label].name);
  for (const kind of Object.keys(KINDS)) if (!state.kinds.has(kind)) said.append("without", kind);
  if (state.order !== "given") said.set("order", state.order);
  if (state.annotated) said.set("annotated", "yes");
  if (state.empty !== !narrowed()) said.set("empty", state.empty ? "yes" : "no");
  if (state.open !== null) said.set("image", String(state.open + 1));
  const here = new URL(location);
  here.hash = said.toString();
  history.replaceState(null, "", here);
}

/** The state that an address asks for; what there is not is left as the page begins. */
function recall(hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const score = Number(said.get("score"));
  if (said.has("score") && score >= gallery.lowest && score <= 1) state.score = score;
  state.picked = new Set(gallery.classes.flatMap(({ name }, label) => (said.getAll("class").includes(name) ? [label] : [])));
  for (const kind of said.getAll("without")) state.kinds.delete(kind);
  if (said.get("order") in ORDERS) state.order = said.get("order");
  state.annotated = known && said.get("annotated") === "yes";
  state.empty = said.has("empty") ? said.get("empty") === "yes" : !narrowed();
  return Number(said.get("image")) - 1;
}

drawHead();
if (gallery.images.length) {
  at("images").classList.toggle("plain", !known);
  const asked = recall(location.hash);
  buildBar();
  buildPanel();
  buildViewer();
  draw(true);
  for (const { figure } of tiles) watcher.observe(figure);
  if (asked in tiles) openViewer(asked);
}
