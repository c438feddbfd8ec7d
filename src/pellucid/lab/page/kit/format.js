// Numbers as a person writes them, and the colours of their sign and size.

const WORDS = { inf: "∞", "-inf": "−∞", nan: "NaN" };
const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** A number with so many decimals; very large and very small ones as a power of ten.
 * Infinity and NaN travel as words. */
export function fmt(value, digits = 2) {
  if (typeof value === "string") return WORDS[value] ?? value;
  if (value === null || value === undefined) return "–";
  if (typeof value === "boolean") return value ? "1" : "0";
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return value > 0 ? "∞" : value < 0 ? "−∞" : "NaN";
  if (size >= 1e6 || (size > 0 && size < 0.5 * 10 ** -digits)) {
    const [mantissa, power] = value.toExponential(1).split("e");
    return `${mantissa}×10${raised(power)}`.replace("-", "−");
  }
  return (Number.isInteger(value) ? String(value) : value.toFixed(digits)).replace("-", "−");
}

/** The same with its sign, also where it is plus. */
export const signed = (value, digits = 2) => (value > 0 ? "+" : "") + fmt(value, digits);

/** Numbers in a text that was made for a terminal, as they are printed: 2e-16, -0.5 and -0 with a true
 * minus and a power of ten. */
export const typeset = (text) =>
  String(text)
    .replace(/(?<![\w.])(-?\d+(?:\.\d+)?)e([+-]\d+)(?![\w.])/g, (_, mantissa, power) => `${mantissa}×10${raised(power)}`)
    .replace(/(?<![\w.)\]-])-(?=[\d.])/g, "−")
    .replace(/^−(0(?:\.0*)?)$/, "$1");

const raised = (power) => [...String(Number(power))].map((c) => (c === "-" ? "⁻" : RAISED[c])).join("");

/** As a number: also for the words of infinity and NaN. */
export function num(value) {
  if (typeof value === "number") return value;
  return { inf: Infinity, "-inf": -Infinity }[value] ?? (typeof value === "string" ? NaN : Number(value));
}

const BLUE = [33, 102, 172];
const PAPER = [250, 248, 244];
const ORANGE = [217, 95, 14];

/** Blue below zero, paper at zero, orange above: told apart also by the colour-blind.
 * `t` runs from -1 to 1. */
export function diverging(t) {
  if (Number.isNaN(t)) return "rgb(221,221,221)";
  const amount = Math.min(1, Math.abs(t)) ** 0.8;
  const end = t < 0 ? BLUE : ORANGE;
  return `rgb(${PAPER.map((p, i) => Math.round(p + (end[i] - p) * amount)).join(",")})`;
}

/** Ink that can be read on that colour. */
export const inkOn = (t) => (Math.abs(t) ** 0.8 > (t < 0 ? 0.55 : 0.75) ? "#fff" : "#1c1e22");

/** The largest size among numbers in lists in lists; 1 where all are zero. */
export function largest(values) {
  const flat = [values].flat(Infinity).map((v) => Math.abs(num(v))).filter(Number.isFinite);
  return flat.reduce((a, b) => Math.max(a, b), 0) || 1;
}

/** An array that came as binary float32, whichever way it came: { shape, data: Float32Array }. */
export function array(value) {
  let { shape, data } = value;
  if (typeof data === "string") {
    const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
    data = new Float32Array(bytes.buffer);
  } else if (data instanceof DataView) {
    data = new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
  }
  return { shape, data };
}
