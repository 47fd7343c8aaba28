// Numbers as people read them; what is not known is a dash.

const UNKNOWN = "–";
const known = (value) => value !== null && value !== undefined;

const fixed = (value, digits) => (known(value) ? value.toFixed(digits).replace("-", "−") : UNKNOWN);
const percent = (share) => fixed(known(share) ? 100 * share : null, 1);
const signed = (value, digits = 1) => (known(value) ? (value > 0 ? "+" : "") + fixed(value, digits) : UNKNOWN);
const range = (interval, scale = 100) =>
  known(interval) ? `${fixed(scale * interval.low, 1)} to ${fixed(scale * interval.high, 1)}` : UNKNOWN;
const ranks = (line) => [...new Set([line.ranks[0], line.ranks.at(-1)])].filter(known).join("–") || UNKNOWN;

/** Three digits that count: 0.912, 41.8, 104. */
function short(value) {
  if (!known(value)) return UNKNOWN;
  return fixed(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

function license(line) {
  return licenses(line).join(" / ");
}

/** That of the code and that of the weights; one where they are the same. */
function licenses(line) {
  const { code, weights } = line.entry.model.licenses;
  return [...new Set([code || UNKNOWN, weights || UNKNOWN])];
}

/** 1 row, 2 rows. */
const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;

function pValue(value) {
  return value < 0.01 ? "p < 0.01" : `p = ${value.toFixed(2)}`;
}
