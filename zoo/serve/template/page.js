// One image at a time: sent to this server, shown with its boxes. What comes back is only ever set as text.

const LEAST = 0.05; // score that the server is asked for; the slider hides more
const MOST_CHIPS = 40;
const COLORS = ["#1f62d0", "#c2500a", "#0d7d62", "#a8327f", "#6d53c8", "#7a6a00", "#b3261e", "#00708a"];
const at = (id) => document.getElementById(id);
const state = { file: null, answer: null, hidden: new Set(), address: null, run: 0 };

const colorOf = (label) => COLORS[label % COLORS.length];

/** The headers of a request: the token, where one was typed. */
function headers() {
  const token = at("token").value.trim();
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** The JSON of an answer; throws an error with its three parts where it is one. */
async function asked(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...headers(), ...options.headers } });
  } catch (reason) {
    throw { what: "The server did not answer.", why: String(reason.message || reason), next: "Check that it runs." };
  }
  if (response.status === 401) at("token-label").hidden = false;
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    throw answer?.error ?? { what: "The request failed.", why: `The server answered ${response.status}.`, next: "Try again." };
  }
  return answer;
}

function fail(error) {
  at("error").hidden = !error;
  at("error").replaceChildren(...(error ? [error.what, error.why, error.next].map((text) => el("p", {}, text)) : []));
}

async function listModels() {
  try {
    const { models } = await asked("/v1/models");
    at("model").replaceChildren(...models.map((model) => el("option", { value: model.name }, model.name)));
    fail(null);
  } catch (error) {
    fail(error);
  }
}

/** Sends the image, and shows the answer if no other was sent meanwhile. */
async function detect() {
  if (!state.file) return;
  const run = ++state.run;
  const query = new URLSearchParams({ score: String(LEAST), file: (state.file.name || "image").slice(0, 1000) });
  if (at("model").value) query.set("model", at("model").value);
  at("status").textContent = "Detecting …";
  fail(null);
  const began = performance.now();
  try {
    const answer = await asked(`/v1/detect?${query}`, {
      method: "POST", body: state.file, headers: { "Content-Type": "application/octet-stream" },
    });
    if (run !== state.run) return;
    state.answer = answer;
    state.took = performance.now() - began;
    state.hidden.clear();
  } catch (error) {
    if (run !== state.run) return;
    state.answer = null;
    fail(error);
  }
  draw();
}

function take(file) {
  if (!file) return;
  if (state.address) URL.revokeObjectURL(state.address);
  state.file = file;
  state.address = URL.createObjectURL(file);
  state.answer = null;
  at("shown").onload = () => { at("view").classList.remove("unseen"); draw(); };
  at("shown").onerror = () => { at("view").classList.add("unseen"); draw(); }; // the server may know more forms
  at("shown").src = state.address;
  at("shown").alt = file.name || "The image";
  at("empty").hidden = true;
  at("view").hidden = false;
  draw();
  detect();
}

const visible = () => {
  const least = Number(at("score").value);
  return (state.answer?.detections ?? []).filter((found) => found.score >= least);
};

/** Everything that follows from the answer and the settings. */
function draw() {
  at("score-value").textContent = Number(at("score").value).toFixed(2);
  const { answer } = state;
  at("result").hidden = !answer;
  at("boxes").replaceChildren();
  if (!answer) {
    if (at("status").textContent !== "Detecting …" || !at("error").hidden) at("status").textContent = "";
    return;
  }
  const found = visible();
  const shown = found.filter((one) => !state.hidden.has(one.name));
  const count = shown.length === 1 ? "1 detection" : `${shown.length} detections`;
  at("status").textContent = `${count} by ${answer.model} in ${answer.width} × ${answer.height} pixels, ${Math.round(state.took)} ms.`;
  listClasses(found);
  drawBoxes(shown, answer);
  at("rows").replaceChildren(...shown.map(row));
  const text = JSON.stringify(answer);
  at("json").href = `data:application/json;charset=utf-8,${encodeURIComponent(text)}`;
}

function listClasses(found) {
  const counts = new Map();
  for (const one of found) counts.set(one.name, [(counts.get(one.name)?.[0] ?? 0) + 1, one.label]);
  const sorted = [...counts].sort((a, b) => b[1][0] - a[1][0]);
  at("classes").replaceChildren(...sorted.map(([name, [count, label]]) => el("li", {}, el("button", {
    type: "button", "aria-pressed": String(!state.hidden.has(name)), on: { click: () => toggle(name) },
  }, el("span", { class: "swatch", style: { color: colorOf(label) } }), `${name} ${count}`))));
}

function toggle(name) {
  if (!state.hidden.delete(name)) state.hidden.add(name);
  draw();
}

/** Frames and chips in the image's own pixels; a chip's size is that of the text on the screen. */
function drawBoxes(shown, { width, height }) {
  const boxes = at("boxes");
  boxes.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const scale = width / (boxes.getBoundingClientRect().width || width);
  const size = 13 * scale, chip = 18 * scale;
  shown.map((one, place) => [one, place]).reverse().forEach(([one, place]) => {
    const [left, top, right, bottom] = one.box;
    const frame = { x: left, y: top, width: Math.max(right - left, 0), height: Math.max(bottom - top, 0) };
    const group = svg("g", { class: "found", "data-place": place, style: { color: colorOf(one.label) }, on: marking(place) },
      svg("rect", { class: "halo", ...frame }), svg("rect", { class: "box", ...frame }, svg("title", {}, titled(one))));
    if (place < MOST_CHIPS) group.append(...chipOf(one, size, chip, width));
    boxes.append(group);
  });
}

const titled = (one) => `${one.name} ${one.score.toFixed(2)}`;

function chipOf(one, size, chip, width) {
  const text = titled(one), wide = size * (0.62 * text.length + 0.7);
  const [left, top] = one.box;
  const x = Math.max(0, Math.min(left, width - wide)), y = top >= chip ? top - chip : top;
  return [svg("rect", { class: "chip", x, y, width: wide, height: chip, rx: chip / 6 }),
    svg("text", { class: "chip-text", x: x + size * 0.35, y: y + chip * 0.74, "font-size": size, textLength: wide - size * 0.7, lengthAdjust: "spacingAndGlyphs" }, text)];
}

function marking(place) {
  return { mouseenter: () => mark(place, true), mouseleave: () => mark(place, false) };
}

function mark(place, on) {
  document.querySelectorAll(`[data-place="${place}"]`).forEach((one) => one.classList.toggle("marked", on));
}

function row(one, place) {
  const place_ = one.box.map((value) => Math.round(value)).join(", ");
  return el("li", { "data-place": place, on: marking(place) }, el("span", { class: "swatch", style: { color: colorOf(one.label) } }),
    el("span", { class: "name" }, one.name), el("span", {}, one.score.toFixed(2)), el("span", { class: "place" }, place_));
}

at("choose").addEventListener("click", () => at("file").click());
at("file").addEventListener("change", () => take(at("file").files[0]));
at("score").addEventListener("input", draw);
at("model").addEventListener("change", detect);
at("token").addEventListener("change", async () => { await listModels(); detect(); });
at("controls").addEventListener("submit", (event) => event.preventDefault());
window.addEventListener("resize", draw);
window.addEventListener("paste", (event) => take([...event.clipboardData.files][0]));
for (const name of ["dragenter", "dragover"]) {
  window.addEventListener(name, (event) => { event.preventDefault(); document.body.classList.add("dragged"); });
}
window.addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dragged"); });
window.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dragged");
  take(event.dataTransfer.files[0]);
});
listModels();
