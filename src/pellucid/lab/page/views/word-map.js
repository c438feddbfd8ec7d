// Chapter 11: the words on a plane, who is near whom in truth, sums of words, and the map turned.
import { Card, Columns, Controls, html, Num, num, Plot, Say, Setting, useEffect, useRef, useState, view } from "../kit/index.js";

const INK = { accent: "#0b6e75", orange: "#d95f0e", blue: "#2166ac", soft: "#6f6b64" };

export default view(({ shows, t, act, value }) => html`<${Columns}>
  <div>
    <${Card} title=${t("the map")} note=${t("click a word; drag sideways to turn")}>
      <${Field} shows=${shows} t=${t} act=${act} turn=${value("turn")} />
      <${Controls} settings=${["turn", "size", "window", "lr"]}>
        <button data-do="forget" onClick=${() => act("forget")}>${t("from random")}</button>
        <button data-do="another" onClick=${() => act("another")}>${t("another pair")}</button>
      <//>
      <${Say} />
    <//>
    <${Card} title=${t("sum")} note=${t("cosine: 1 is the same direction")}>
      <div class="pv-bar" style=${{ margin: "0 0 12px", display: "grid" }}><${Setting} name="sum" /></div>
      ${shows.sum ? html`<${Answers} shows=${shows} t=${t} act=${act} />` : html`<p style=${{ margin: 0, color: "var(--soft)" }}>${t("write it with blanks: king - man + woman")}</p>`}
    <//>
  </div>
  <div>
    <${Card} title=${t("nearest to “#”").replace("#", shows.word)}>
      <div class="pv-bar" style=${{ margin: "0 0 12px", display: "grid" }}><${Setting} name="search" /></div>
      <div style=${{ display: "grid", gridTemplateColumns: "1fr 1fr", gap: "18px" }}>
        <${Near} title=${t("in truth")} note=${t("of # numbers").replace("#", value("size"))} of=${shows.near} at="near" shows=${shows} act=${act} />
        <${Near} title=${t("on the map")} note=${t("the shadow")} of=${shows.near_on_map} at="near_on_map" shows=${shows} act=${act} />
      </div>
    <//>
    <${Card} title=${t("a flat map misleads")} note=${t("near on the map, far in truth")}>
      <${Pair} shows=${shows} t=${t} />
    <//>
    <${Card} title=${t("where it was met")} note=${t("the made-up sentences").replace("#", shows.count)}>
      ${shows.sentences.map((s, i) => html`<p key=${i} style=${{ margin: "0 0 4px" }}>${s.map((w, j) => html`<span key=${j} style=${{ color: w === shows.own ? "var(--accent)" : null, fontWeight: w === shows.own ? 600 : 400 }}>${w} </span>`)}</p>`)}
    <//>
    <${Card} title=${t("loss of a blank")} note=${t("# passes").replace("#", shows.passes)}>
      <${Plot} curves=${[{ x: shows.losses.map((_, i) => 1 + i * shows.every), y: shows.losses }]} x=${t("pass")} height=150 width=460 label=${t("loss of a blank")} />
    <//>
  </div>
<//>`);

/** The plane. One unit is one pixel of the screen, so that words are as large on a phone. */
function Field({ shows, t, act, turn }) {
  const box = useRef();
  const held = useRef(null);
  const [wide, measure] = useState(560);
  useEffect(() => {
    const look = () => box.current && measure(Math.max(280, box.current.clientWidth));
    look();
    addEventListener("resize", look);
    return () => removeEventListener("resize", look);
  }, []);
  const high = Math.round(Math.min(500, wide * 0.95));
  const [x, y] = [shows.x.map(num), shows.y.map(num)];
  const [left, right, low, top] = [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)];
  const scale = Math.min((wide - 120) / Math.max(0.05, right - left), (high - 50) / Math.max(0.05, top - low));
  const at = (n) => [wide / 2 + (x[n] - (left + right) / 2) * scale, high / 2 - (y[n] - (low + top) / 2) * scale];
  const sum = shows.sum;
  const asked = sum ? [...sum.plus, ...sum.minus, sum.found[0].n].filter((n) => n >= 0) : [];
  const near = shows.near.map((one) => one.n);
  const first = [shows.chosen, ...asked, ...shows.pair, ...near];
  const order = [...new Set([...first, ...x.keys()])];
  const labels = placed(order, first, at, shows.labels, wide, high);
  const pull = (event) => {
    if (event.type === "pointerdown") held.current = { from: event.clientX, turn, moved: false };
    else if (held.current && event.buttons) {
      const to = Math.max(0, Math.min(180, Math.round(held.current.turn + (event.clientX - held.current.from) / 2)));
      if (Math.abs(event.clientX - held.current.from) > 5) held.current.moved = true;
      if (held.current.moved && to !== turn) act("set", { name: "turn", value: to, drag: true });
    }
  };
  const pick = (n) => !held.current?.moved && act("look", { word: shows.words[n] });
  const ink = (n) => (n === shows.chosen ? INK.accent : asked.includes(n) ? INK.blue : shows.pair.includes(n) ? INK.orange : near.includes(n) ? INK.accent : "#8b867c");
  const [a, b] = shows.pair.map(at);
  return html`<div ref=${box}><svg viewBox="0 0 ${wide} ${high}" role="img" aria-label=${t("the map")} onPointerDown=${pull} onPointerMove=${pull}
      style=${{ cursor: "ew-resize", touchAction: "pan-y", userSelect: "none" }}>
    <defs><marker id="pv-word-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill=${INK.blue} /></marker></defs>
    ${near.map((n) => html`<path key=${n} d=${`M${at(shows.chosen)} L${at(n)}`} stroke=${INK.accent} stroke-opacity=".35" stroke-width="1.5" />`)}
    ${sum && sum.minus.length === 1 && sum.plus.length === 2 && [...sum.plus, ...sum.minus].every((n) => n >= 0) && html`<g fill="none" stroke=${INK.blue} stroke-width="1.8" stroke-dasharray="5 4">
      <path d=${`M${at(sum.minus[0])} L${at(sum.plus[0])}`} marker-end="url(#pv-word-tip)" /><path d=${`M${at(sum.plus[1])} L${at(sum.found[0].n)}`} marker-end="url(#pv-word-tip)" /></g>`}
    <path d=${`M${a} L${b}`} stroke=${INK.orange} stroke-width="2.5" />
    ${order.toReversed().map((n) => {
      const [px, py] = at(n);
      const label = labels.get(n);
      const strong = first.includes(n);
      return html`<g key=${n} data-word=${shows.words[n]} style=${{ cursor: "pointer" }} onClick=${() => pick(n)}>
        <circle cx=${px} cy=${py} r=${n === shows.chosen ? 6 : strong ? 4.5 : 3} fill=${ink(n)} /><circle cx=${px} cy=${py} r="11" fill="transparent"><title>${shows.labels[n]}</title></circle>
        ${label && html`<text x=${label.x} y=${label.y} text-anchor=${label.anchor} style=${{ fontSize: "12.5px", fill: strong ? ink(n) : "#3c3a36", fontWeight: strong ? 600 : 400, paintOrder: "stroke", stroke: "#fffefb", strokeWidth: "3px", strokeLinejoin: "round" }}>${shows.labels[n]}</text>`}
      </g>`;
    })}
  </svg></div>`;
}

/** A place for each word beside its point, the important ones first; none where there is no room. */
function placed(order, first, at, labels, wide, high) {
  const taken = first.map(at).map(([x, y]) => [x - 3, y - 3, x + 3, y + 3]);
  const found = new Map();
  for (const n of order) {
    const [x, y] = at(n);
    const long = [...labels[n]].reduce((sum, c) => sum + (c > "\u2e80" ? 13 : 7), 0);
    const tries = [["start", x + 8, y + 4], ["end", x - 8, y + 4], ["middle", x, y - 8], ["middle", x, y + 17]];
    for (const [anchor, tx, ty] of tries) {
      const left = anchor === "start" ? tx : anchor === "end" ? tx - long : tx - long / 2;
      const box = [left, ty - 11, left + long, ty + 3];
      if (box[0] < 0 || box[2] > wide || box[1] < 0 || box[3] > high) continue;
      if (taken.some((o) => box[0] < o[2] && o[0] < box[2] && box[1] < o[3] && o[1] < box[3])) continue;
      taken.push(box);
      found.set(n, { anchor, x: tx, y: ty });
      break;
    }
  }
  return found;
}

function Near({ title, note, of, at, shows, act }) {
  return html`<div><p style=${{ margin: "0 0 4px", font: "600 13px/1.4 var(--sans)" }}>${title}<br /><small style=${{ fontWeight: 400, color: "var(--soft)" }}>${note}</small></p>
    ${of.map((one, i) => html`<${Word} key=${one.n} n=${one.n} shows=${shows} act=${act}><${Num} at=${`${at}[${i}].distance`} digits=3 /><//>`)}</div>`;
}

const Word = ({ n, shows, act, children }) => html`<div style=${{ display: "flex", justifyContent: "space-between", font: "14px/1.75 var(--sans)", borderBottom: "1px solid var(--line)" }}>
  <span style=${{ cursor: "pointer" }} onClick=${() => act("look", { word: shows.words[n] })}>${shows.labels[n]}</span>${children}</div>`;

function Answers({ shows, t, act }) {
  return html`<p style=${{ margin: "0 0 4px", font: "600 13px/1.4 var(--sans)" }}>${t("the sum")}</p>
    ${shows.sum.found.map((one, i) => html`<${Word} key=${one.n} n=${one.n} shows=${shows} act=${act}><${Num} at=${`sum.found[${i}].cosine`} digits=3 /><//>`)}`;
}

/** The two distances of the pair as bars of one scale. */
function Pair({ shows, t }) {
  const most = Math.max(num(shows.pair_truly), 1e-9);
  const bar = (label, at, ink) => html`<div style=${{ display: "grid", gridTemplateColumns: "6.5em 1fr 3em", gap: "8px", alignItems: "center", font: "14px/1.9 var(--sans)" }}>
    <span>${label}</span><span style=${{ height: "12px", borderRadius: "6px", background: ink, width: `${Math.max(1, (100 * num(shows[at])) / most)}%` }}></span><${Num} at=${at} /></div>`;
  return html`<p style=${{ margin: "0 0 6px", fontWeight: 600, color: INK.orange }}>${shows.pair_names.join(" · ")}</p>
    ${bar(t("on the map"), "pair_map", INK.orange)}${bar(t("in truth"), "pair_truly", "#cfc8ba")}
    <p style=${{ margin: "8px 0 0", color: "var(--soft)", fontSize: "14.5px" }}><${Num} at="share" digits=1 /> % ${t("# % of the spread is on the map")}</p>`;
}
