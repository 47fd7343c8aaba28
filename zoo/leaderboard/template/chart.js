// What every drawing has: scales, round ticks, axes with names.

/** A map from numbers to pixels; log takes positive numbers only. */
function scale(domain, span, log = false) {
  const through = log ? Math.log10 : (value) => value;
  const [low, high] = domain.map(through);
  return (value) => span[0] + ((through(value) - low) / (high - low || 1)) * (span[1] - span[0]);
}

/** Round numbers inside a domain, about as many as asked for. */
function ticks([low, high], count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step) found.push(Number(at.toPrecision(12)));
  return found;
}

/** 1, 2 and 5 times the powers of ten inside a domain; fewer where that is crowded. */
function logTicks([low, high], count) {
  for (const factors of [[1, 2, 5], [1, 3], [1]]) {
    const found = [];
    for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
      for (const factor of factors) {
        const value = Number((factor * 10 ** power).toPrecision(6));
        if (value >= low && value <= high) found.push(value);
      }
    }
    if (found.length <= count && found.length > 1) return found;
  }
  return ticks([low, high], Math.max(2, count));
}

/** Grid lines, tick labels and names of both axes. box: left, right, top, bottom in pixels. */
function axes(box, x, y) {
  const lines = y.ticks.map((value) => [
    svg("line", { class: "grid", x1: box.left, x2: box.right, y1: y.at(value), y2: y.at(value) }),
    svg("text", { class: "tick", x: box.left - 8, y: y.at(value) + 4, "text-anchor": "end" }, y.show(value)),
  ]);
  const marks = x.ticks.map((value) => [
    svg("line", { class: "grid", x1: x.at(value), x2: x.at(value), y1: box.top, y2: box.bottom }),
    svg("text", { class: "tick", x: x.at(value), y: box.bottom + 18, "text-anchor": "middle" }, x.show(value)),
  ]);
  return svg("g", { "aria-hidden": "true" }, lines.flat(), marks.flat(),
    svg("text", { class: "axis", x: (box.left + box.right) / 2, y: box.bottom + 38, "text-anchor": "middle" }, x.name),
    svg("text", { class: "axis", x: box.left, y: box.top - 10 }, y.name));
}
