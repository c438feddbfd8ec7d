// Chapter 12: the recurrent network unrolled: words go in below, blame comes back from the right.
import { Card, Columns, Controls, diverging, fmt, html, inkOn, largest, Mark, Matrix, num, Num, Plot, Say, useEffect, useRef, view } from "../kit/index.js";

const STEP = 88; // pixels from one word to the next
const LEFT = 40;
const TOP = 20;
const CELL = 26;
const BARS = 268; // where the bars of blame stand

export default view(({ shows, t, act, state }) => html`
  <${Card} wide title=${`${t("pass #").replace("#", shows.pass)} · ${t(shows.phase)}`} note=${t("point at a word to see its numbers")}>
    <${Unrolled} shows=${shows} t=${t} choose=${(index) => act("choose", { index })} />
    <${Controls} settings=${["text", "length", "matrix", "scale", "bend", "lr"]}>
      <button data-do="whole_pass" disabled=${!state.can.step} onClick=${() => act("whole_pass")}>${t("whole pass")}</button>
    <//>
    <${Say} />
  <//>
  <${Columns} split="thirds">
    <div><${Card} title=${`${t("at “#”").replace("#", shows.word)}`} note=${t("before × matrix + word → state")}>
      <${Matrix} at="closer" rows=${[t("before"), t("word"), t("state"), t("blame")]} />
    <//></div>
    <div><${Card} title=${t("the one matrix")} note=${t("and the shares of its gradient so far")}>
      <${Matrix} at="matrix" />
      <${Matrix} at="collected" />
    <//></div>
    <div>
      <${Card} title=${t("what comes next?")} note=${t("it was “#”").replace("#", shows.target)}>
        <${Guesses} shows=${shows} />
      <//>
      <${Card} title=${t("loss of each pass")}>
        <${Plot} curves=${[{ x: shows.losses.map((_, i) => i + 1), y: shows.losses, dots: shows.losses.length < 40 }]} x=${t("pass")} height=150 width=330 label=${t("loss of each pass")} />
      <//>
    </div>
  <//>`);

function Unrolled({ shows, t, choose }) {
  const n = shows.words.length;
  const width = LEFT + n * STEP + 60;
  const most = largest(shows.states);
  const x = (i) => LEFT + 40 + i * STEP;
  const middle = TOP + 2 * CELL;
  const back = shows.phase === "return" || shows.phase === "learn";
  const box = useRef();
  useEffect(() => void box.current.scrollTo({ left: (x(shows.chosen) / width) * box.current.scrollWidth - box.current.clientWidth / 2 }), [shows.chosen, n]);
  return html`<div class="pv-scroll" ref=${box}><svg viewBox="0 0 ${width} 322" style=${{ width: `max(${width}px, min(100%, ${1.4 * width}px))`, margin: "0 auto" }} role="img" aria-label=${t("the network, unrolled")}>
    ${shows.words.map((word, i) => html`<g key=${i} class="pick" style=${{ cursor: "pointer" }} onClick=${() => choose(i)} opacity=${i < shows.read ? 1 : 0.25}>
      <path d=${`M${x(i) - STEP + 22},${middle} H${x(i) - 22}`} stroke="#1c1e22" stroke-width="1.6" fill="none" marker-end="url(#pv-tip)" />
      <text x=${x(i) - STEP / 2} y=${middle - 9} text-anchor="middle" style=${{ fontStyle: "italic" }}>W</text>
      ${shows.states[i].map((v, j) => html`<g key=${j}><rect x=${x(i) - 21} y=${TOP + j * CELL} width="42" height=${CELL - 2} rx="5" fill=${diverging(num(v) / most)} stroke=${i === shows.chosen ? "#0b6e75" : "#1c1e22"} stroke-opacity=${i === shows.chosen ? 1 : 0.15} stroke-width=${i === shows.chosen ? 2 : 1} />
        <${Mark} at=${`states[${i}][${j}]`} x=${x(i)} y=${TOP + j * CELL + 17} text-anchor="middle" style=${{ fill: inkOn(num(v) / most), fontSize: "12px" }} /></g>`)}
      <path d=${`M${x(i)},${TOP + 4 * CELL + 42} V${TOP + 4 * CELL + 6}`} stroke="#6f6b64" stroke-width="1.4" marker-end="url(#pv-tip)" />
      <text x=${x(i)} y=${TOP + 4 * CELL + 58} text-anchor="middle" font-weight=${i === shows.chosen ? 600 : 400}>${word}</text>
    </g>`)}
    ${back && html`<text class="soft" x="6" y=${BARS + 42}>${t("size of the blame")}</text>`}
    ${shows.words.map((_, i) => back && i >= shows.back && html`<${Bar} key=${i} shows=${shows} i=${i} x=${x(i)} />`)}
    ${shows.words.map((_, i) => back && i > 0 && i > shows.back && html`<path key=${i} class="pv-back" d=${`M${x(i) - 18},${BARS + 40} H${x(i - 1) + 18}`} fill="none" stroke="#d95f0e" stroke-width="2" marker-end="url(#pv-back-tip)" />`)}
    <defs>
      <marker id="pv-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#1c1e22" /></marker>
      <marker id="pv-back-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="#d95f0e" /></marker>
    </defs>
  </svg></div>`;
}

/** How large the blame is at a step, by powers of ten: two apart look alike, a thousand times does not. */
function Bar({ shows, i, x }) {
  const size = num(shows.sizes[i]);
  const [low, high] = [-4, 4];
  const power = size > 0 ? Math.max(low, Math.min(high, Math.log10(size))) : low;
  const height = 6 + (46 * (power - low)) / (high - low);
  return html`<g><title>${fmt(size, 6)}</title>
    <rect x=${x - 15} y=${BARS - height} width="30" height=${height} rx="4" fill="#d95f0e" opacity=${i === shows.chosen ? 1 : 0.6} />
    <${Mark} at=${`sizes[${i}]`} digits=3 x=${x} y=${BARS + 18} text-anchor="middle" />
  </g>`;
}

function Guesses({ shows }) {
  return html`<div style=${{ display: "grid", gap: "6px" }}>${shows.guesses.map((g, i) => html`<div key=${g.word} style=${{ display: "grid", gridTemplateColumns: "8em 1fr 4em", gap: "8px", alignItems: "center", fontFamily: "var(--sans)", fontSize: "14px", fontWeight: g.word === shows.target ? 600 : 400 }}>
    <span>${g.word}</span>
    <span style=${{ height: "12px", borderRadius: "6px", background: g.word === shows.target ? "var(--accent)" : "var(--line)", width: `${Math.max(1, 100 * num(g.chance))}%` }}></span>
    <${Num} at=${`guesses[${i}].chance`} digits=3 />
  </div>`)}</div>`;
}
