// Curves over axes, as SVG: they are sharp on any screen and in saved pictures.
import { scaleLinear, scaleLog } from "d3-scale";
import { curveLinear, line as liner } from "d3-shape";
import { html, useRef } from "./core.js";
import { fmt, num } from "./format.js";

export const INK = ["#0b6e75", "#d95f0e", "#2166ac", "#8c5a9e", "#6f6b64", "#b8860b"];

/** Curves.
 *   curves    [{ x, y, label, colour, dashed, dots, width }]
 *   x, y      what the axes count
 *   xs, ys    [from, to], unless they follow from the curves
 *   log       powers of ten upwards
 *   drag      (x) => ...: called while the reader drags sideways
 *   children  (scales) => more SVG on top */
export function Plot({ curves, x = "", y = "", xs, ys, log, drag, children, label, ...size }) {
  const [width, height] = [Number(size.width ?? 460), Number(size.height ?? 220)]; // `width=460` in a template is text
  const box = useRef();
  const key = curves.length > 1 && curves.every((c) => c.label) ? rows(curves, width - 60) : [];
  const [left, right, top, bottom] = [46, 12, 12 + 18 * key.length, x ? 42 : 24];
  const finite = (list) => list.map(num).filter((v) => Number.isFinite(v) && (!log || v > 0));
  const across = xs ?? ends(curves.flatMap((c) => c.x.map(num).filter(Number.isFinite)));
  const up = ys ?? spread(finite(curves.flatMap((c) => [...c.y])), log);
  const sx = scaleLinear(across, [left, width - right]);
  const sy = (log ? scaleLog : scaleLinear)(up, [height - bottom, top]).clamp(Boolean(log));
  const path = liner((p) => sx(p[0]), (p) => sy(p[1])).defined((p) => Number.isFinite(sy(p[1]))).curve(curveLinear);
  const points = (c) => c.x.map((at, i) => [num(at), num(c.y[i])]).filter((p) => !log || p[1] > 0);
  const move = (event) => {
    if (!drag || (event.type === "pointermove" && !event.buttons)) return;
    const { left: from, width: wide } = box.current.getBoundingClientRect();
    if (event.type === "pointerdown") box.current.setPointerCapture(event.pointerId);
    drag(sx.invert(((event.clientX - from) / wide) * width));
  };
  const ticks = log ? powers(up) : sy.ticks(4);
  return html`<svg class=${`pv-plot${drag ? " drag" : ""}`} ref=${box} viewBox="0 0 ${width} ${height}" role="img" aria-label=${label ?? y}
      onPointerDown=${move} onPointerMove=${move}>
    ${ticks.map((v) => html`<g key=${v}><line class="grid" x1=${left} x2=${width - right} y1=${sy(v)} y2=${sy(v)} /><text class="tick" x=${left - 7} y=${sy(v) + 4} text-anchor="end">${log ? power(v) : fmt(v, places(ticks))}</text></g>`)}
    ${(whole(curves) ? sx.ticks(5).filter(Number.isInteger) : sx.ticks(5)).map((v, _, all) => html`<text key=${v} class="tick" x=${sx(v)} y=${height - bottom + 16} text-anchor="middle">${fmt(v, places(all))}</text>`)}
    ${x && html`<text class="axis" x=${(left + width - right) / 2} y=${height - 4} text-anchor="middle">${x}</text>`}
    ${curves.map((c, i) => {
      const ink = c.colour ?? INK[i % INK.length];
      return html`<g key=${c.label ?? i}>
        <path d=${path(points(c))} fill="none" stroke=${ink} stroke-width=${c.width ?? 2.2} stroke-dasharray=${c.dashed ? "5 5" : null} />
        ${c.dots && points(c).map((p, j) => html`<circle key=${j} cx=${sx(p[0])} cy=${sy(p[1])} r="3" fill=${ink} />`)}
      </g>`;
    })}
    ${children?.({ sx, sy, width, height })}
    ${key.length > 0 && html`<g class="legend">${key.map((row, j) => html`<text key=${j} x=${width - right} y=${12 + 18 * j} text-anchor="end">
      ${row.map((i, n) => html`<tspan key=${i} dx=${n ? 14 : 0} style=${{ fill: curves[i].colour ?? INK[i % INK.length] }}>${curves[i].label}</tspan>`)}
    </text>`)}</g>`}
  </svg>`;
}

/** Which curves are named in which row above the plot: about eight units a letter, twice that in Chinese. */
function rows(curves, room) {
  const wide = (label) => 14 + [...label].reduce((all, c) => all + (c > "\u2e7f" ? 15 : 8), 0);
  const made = [];
  let left = 0;
  curves.forEach((c, i) => {
    if (wide(c.label) > left) made.push([]), (left = room);
    made.at(-1).push(i);
    left -= wide(c.label);
  });
  return made;
}

function ends(values) {
  const [a, b] = [Math.min(...values), Math.max(...values)];
  return values.length ? (a === b ? [a - 0.5, b + 0.5] : [a, b]) : [0, 1];
}

function spread(values, log) {
  let [a, b] = ends(values.length ? values : log ? [1, 10] : [0, 1]);
  if (log) return [10 ** Math.floor(Math.log10(Math.max(a, 1e-300))), 10 ** Math.ceil(Math.log10(Math.max(b, 1e-300)) + 1e-9)];
  if (a > 0 && a < b / 2) a = 0;
  if (a === 0 && b === 0) b = 1;
  return [a, b + (b - a) * 0.06];
}

function powers([a, b]) {
  const [from, to] = [Math.round(Math.log10(a)), Math.round(Math.log10(b))];
  const stride = Math.max(1, Math.ceil((to - from) / 5));
  return Array.from({ length: Math.floor((to - from) / stride) + 1 }, (_, i) => 10 ** (from + i * stride));
}

const whole = (curves) => curves.every((c) => c.x.every(Number.isInteger));

/** 10, 0.1, 0.001; beyond that 10⁻⁵. */
function power(v) {
  const n = Math.round(Math.log10(v));
  return Math.abs(n) <= 3 ? String(Number(v.toPrecision(1))) : fmt(v, 0).replace(/^.*×/, "");
}

function places(ticks) {
  const gap = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0)) || 1;
  return Math.max(0, Math.min(6, -Math.floor(Math.log10(gap) + 1e-9)));
}
