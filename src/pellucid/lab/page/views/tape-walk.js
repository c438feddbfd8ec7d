// Chapter 13: what is on the tape as a drawing, each value with its gradient and who has still to report.
import { Card, Columns, Controls, html, Lines, Mark, Num, Say, view } from "../kit/index.js";

const WIDE = 190; // pixels from one depth to the next
const HIGH = 92;
const BOX = [96, 56];

export default view(({ shows, t }) => html`
  <${Card} wide title=${shows.back < 0 ? t("run: every value remembers what made it") : t("walk back: the newest first")} note=${t("above the line the value, below it the gradient")}>
    <div class="pv-scroll"><${Graph} shows=${shows} t=${t} /></div>
    <${Controls} settings=${["expression", "a", "b", "c", "adds"]} />
    <${Say} />
  <//>
  <${Columns} split="even">
    <div><${Card} title=${t("the tape, in the order in which it was made")}>
      <${Lines} lines=${shows.lines} at="lines" />
    <//></div>
    <div><${Card} title=${t("who has reported")}>
      <${Reported} shows=${shows} t=${t} />
    <//></div>
  <//>`);

/** Where each value stands: its depth sideways; those of one depth one under the other. */
function places(nodes) {
  const column = {};
  const most = Math.max(...nodes.map((n) => nodes.filter((m) => m.depth === n.depth).length));
  return nodes.map((n) => {
    const row = (column[n.depth] = (column[n.depth] ?? -1) + 1);
    const among = nodes.filter((m) => m.depth === n.depth).length;
    return [18 + n.depth * WIDE, 16 + (row + (most - among) / 2) * HIGH];
  });
}

function Graph({ shows, t }) {
  const at = places(shows.nodes);
  const width = Math.max(...at.map((p) => p[0])) + BOX[0] + 22;
  const height = Math.max(...at.map((p) => p[1])) + BOX[1] + 26;
  const told = (from, to) => shows.reports.find((r) => r.from === from && r.to === to);
  const curve = ([x1, y1], [x2, y2]) => `M${x1},${y1} C${x1 + 46},${y1} ${x2 - 46},${y2} ${x2},${y2}`;
  return html`<svg viewBox="0 0 ${width} ${height}" style=${{ width: `max(${width}px, min(100%, ${1.4 * width}px))`, maxWidth: "none", margin: "0 auto" }} role="img" aria-label=${t("what is on the tape")}>
    <defs><marker id="pv-tape-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="5" markerHeight="5" orient="auto-start-reverse"><path d="M0,0 L8,4 L0,8 z" fill="#d95f0e" /></marker></defs>
    ${shows.nodes.map((n, i) => n.inputs.map((from, k) => {
      const [a, b] = [[at[from][0] + BOX[0], at[from][1] + BOX[1] / 2], [at[i][0], at[i][1] + (BOX[1] * (k + 1)) / (n.inputs.length + 1)]];
      const now = told(i, from);
      return html`<g key=${`${i}-${k}`} opacity=${n.state === "ahead" ? 0.2 : 1}>
        <path d=${curve(a, b)} fill="none" stroke=${now ? "#d95f0e" : "#9a958c"} stroke-width=${now ? 2.4 : 1.3} marker-start=${now ? "url(#pv-tape-tip)" : null} class=${now ? "pv-back" : ""} />
        ${now && html`<${Mark} at=${`reports[${shows.reports.findIndex((r) => r.from === i && r.to === from)}].amount`} digits=3 sign class="num accent" x=${(a[0] + b[0]) / 2} y=${(a[1] + b[1]) / 2 - 6} text-anchor="middle" style=${{ fill: "#d95f0e" }} />`}
      </g>`;
    }))}
    ${shows.nodes.map((n, i) => html`<${Node} key=${i} n=${n} i=${i} x=${at[i][0]} y=${at[i][1]} t=${t} />`)}
  </svg>`;
}

const EDGE = { ahead: "#d8d2c6", made: "#9a958c", waits: "#d95f0e", ready: "#0b6e75", done: "#0b6e75" };

function Node({ n, i, x, y, t }) {
  const [w, h] = BOX;
  return html`<g opacity=${n.state === "ahead" ? 0.3 : 1}>
    <rect x=${x} y=${y} width=${w} height=${h} rx="10" fill=${n.kind === "leaf" ? "#ffd166" : n.kind === "number" ? "#efece5" : "#fffefb"} fill-opacity=${n.kind === "leaf" ? 0.55 : 1} stroke=${EDGE[n.state]} stroke-width=${["waits", "ready"].includes(n.state) ? 2.4 : 1.4} stroke-dasharray=${n.state === "waits" ? "5 4" : null} />
    <text x=${x + 10} y=${y + 20} style=${{ fontWeight: 600 }}>${n.kind === "number" ? "" : n.name}</text>
    <${Mark} at=${`nodes[${i}].value`} digits=3 x=${x + w - 10} y=${y + 20} text-anchor="end" />
    ${n.kind !== "number" && html`<line x1=${x + 8} x2=${x + w - 8} y1=${y + 28} y2=${y + 28} stroke="#e7e2d8" />
      ${n.reports > 0
        ? html`<${Mark} at=${`nodes[${i}].gradient`} digits=3 sign class="num accent" x=${x + w - 10} y=${y + 46} text-anchor="end" style=${{ stroke: "none" }} />`
        : html`<text class="soft" x=${x + w - 10} y=${y + 46} text-anchor="end">–</text>`}`}
    <text class="soft" x=${x + w / 2} y=${y + h + 15} text-anchor="middle">${n.inputs.length ? t(n.kind) : ""}</text>
    ${n.state === "waits" && html`<text class="accent" x=${x + w / 2} y=${y - 6} text-anchor="middle" style=${{ fill: "#d95f0e" }}>${t("# to report").replace("#", n.waiting)}</text>`}
  </g>`;
}

function Reported({ shows, t }) {
  const kept = shows.nodes.map((n, i) => ({ ...n, i })).filter((n) => n.kind !== "number");
  return html`<div class="pv-scroll"><table class="pv-matrix"><thead><tr><th></th><th>${t("value")}</th><th>${t("gradient")}</th><th>${t("reported")}</th><th>${t("backward says")}</th></tr></thead>
    <tbody>${kept.map((n) => html`<tr key=${n.name}>
      <th scope="row">${n.name}${n.inputs.length ? html` <small>= ${n.code}</small>` : ""}</th>
      <td><${Num} at=${`nodes[${n.i}].value`} digits=3 /></td>
      <td>${n.reports ? html`<${Num} at=${`nodes[${n.i}].gradient`} digits=3 sign />` : "–"}</td>
      <td>${n.reports} / ${n.reports + n.waiting}</td>
      <td>${shows.done && n.name in shows.truth ? html`<${Num} at=${`truth.${n.name}`} digits=3 sign />` : ""}</td>
    </tr>`)}</tbody></table></div>`;
}
