// Chapter 15: a lane for each who takes part, messages going to and fro, and the table of who knows what.
import { Card, Columns, Controls, diverging, html, inkOn, largest, Mark, Matrix, num, Num, Problem, Say, Setting, view } from "../kit/index.js";

const ROW = 38; // pixels from one message to the next
const TOP = 54;
const ROWS = 9;
const WIDE = 540;
const RED = "#b3400b";
const MOVES = !globalThis.matchMedia?.("(prefers-reduced-motion: reduce)").matches;

const filled = (text, ...values) => values.reduce((told, v) => told.replace("#", v), text);

export default view(({ shows, t, act, state }) => html`<${Columns}>
  <div>
    <${Card} title=${filled(t("round # · # messages, # bytes"), shows.round, shows.messages, shows.bytes.toLocaleString("en"))} note=${t("next: click a name to pull its plug")}>
      <div class="pv-bar" style=${{ marginTop: 0 }}><${Setting} name="protection" /></div>
      <${Lanes} shows=${shows} t=${t} act=${act} />
      <${Controls} settings=${["parties"]}>
        <button data-do="whole_question" onClick=${() => act("whole_question")}>${t("one question")}</button>
        <button data-do="whole_round" onClick=${() => act("whole_round")}>${t("whole round")}</button>
        <button data-do="tamper" disabled=${!shows.can_tamper} onClick=${() => act("tamper")}>${t("forge the next")}</button>
        <button data-do="resend" disabled=${!shows.can_again} onClick=${() => act("resend")}>${t("send again")}</button>
      <//>
      <div class="pv-bar" style=${{ marginTop: "10px", color: "var(--soft)" }}><span>${t("together")}</span><${Setting} name="together" /></div>
      <${Say} />
      ${(shows.error || shows.ended) && html`<${Problem} of=${{ message: t("refused, in its own words"), original: shows.error || shows.ended }} />`}
    <//>
  </div>
  <div>
    <${Card} title=${filled(t("who knows how far each moved “#”"), shows.words[shows.word])} note=${t("only what each has sent or received")}>
      <${Known} shows=${shows} t=${t} act=${act} />
    <//>
    <${Card} title=${shows.over ? t("the sum") : t("the last message, part by part")} note=${shows.viewers.includes("holder") ? t("a key for lessons") : ""}>
      <${Parts} shows=${shows} t=${t} />
    <//>
    <${Card} title=${t("the model all share")} note=${t("above 0 speaks for spam")}>
      <${Matrix} at="weights" digits=4 columns=${shows.words} />
    <//>
    <${Card} title=${filled(t("stays at home: the mails of #"), shows.who)} note=${t("1: the word is in the mail")}>
      <div class="pv-bar" style=${{ marginTop: 0, marginBottom: "10px" }}><span class="pv-choice">
        ${shows.viewers.slice(1).filter((v) => v !== "holder").map((v, i) => html`<button key=${v} aria-checked=${v === shows.whose} onClick=${() => act("visit", { party: v })}>${shows.labels[i + 1]}</button>`)}
      </span></div>
      <${Matrix} at="mails" digits=0 columns=${[...shows.words, t("spam")]} scale=2.5 />
    <//>
  </div>
<//>`);

/** The lanes: the coordinator on the left, then the parties; time runs downwards. */
function Lanes({ shows, t, act }) {
  const count = shows.viewers.length;
  const x = (i) => 64 + (i * (WIDE - 128)) / (count - 1);
  const pill = Math.min(124, (WIDE - 128) / (count - 1) - 5);
  const long = (label) => [...label].reduce((sum, c) => sum + (c > "\u2e80" ? 20 : 11), 0) > pill;
  const height = TOP + ROWS * ROW + 14;
  return html`<svg viewBox="0 0 ${WIDE} ${height}" role="img" aria-label=${t("the messages")} style=${{ marginTop: "12px" }}>
    <defs>
      <marker id="pv-to" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0,0 L8,4 L0,8 z" fill="context-stroke" /></marker>
    </defs>
    ${shows.viewers.map((v, i) => {
      const off = shows.silent.includes(v);
      const pull = () => act("unplug", { party: v });
      const plug = i > 0 && !shows.over && !off;
      return html`<g key=${v} class=${plug ? "pick" : ""} style=${{ cursor: plug ? "pointer" : "default" }} role=${plug ? "button" : null} tabindex=${plug ? 0 : null} data-plug=${v} onClick=${plug && pull} onKeyDown=${plug && ((e) => e.key === "Enter" && pull())}>
        <line x1=${x(i)} x2=${x(i)} y1="36" y2=${height} stroke="#cfc8ba" stroke-width="1.5" stroke-dasharray=${off ? "2 6" : null} />
        <rect x=${x(i) - pill / 2} y="6" width=${pill} height="30" rx="15" fill=${i === 0 ? "#e3f1f1" : off ? "#f4efe6" : "#fff"} stroke=${i === 0 ? "#0b6e75" : "#cfc8ba"} />
        <text x=${x(i)} y="26" text-anchor="middle" style=${{ fontSize: long(shows.labels[i]) ? "12px" : null, fontWeight: 600, fill: off ? "#9a958c" : "#1c1e22", textDecoration: off ? "line-through" : "none" }}>${shows.labels[i]}</text>
      </g>`;
    })}
    ${shows.sent.map((m, i) => html`<${Arrow} key=${shows.first + i} m=${m} at=${`sent[${i}]`} y=${TOP + i * ROW + 22} x=${x} now=${i === shows.sent.length - 1 && !shows.over} t=${t} />`)}
    ${!shows.over && shows.ahead && shows.sent.length < ROWS && html`<path d=${`M${x(shows.ahead.from)},${TOP + shows.sent.length * ROW + 22} H${x(shows.ahead.to)}`} stroke="#cfc8ba" stroke-width="2" stroke-dasharray="3 6" marker-end="url(#pv-to)" />`}
    ${shows.messages === 0 && html`<text class="soft" x=${WIDE / 2} y=${TOP + 62} text-anchor="middle">${t("step to send the first message")}</text>`}
    ${shows.over && html`<text class="accent" x=${WIDE / 2} y=${height - 4} text-anchor="middle" style=${{ fill: shows.ended ? RED : null }}>${shows.ended ? t("the round is given up") : t("the coordinator adds up")}</text>`}
  </svg>`;
}

function Arrow({ m, at, y, x, now, t }) {
  const bad = m.was === "changed" || m.noticed || m.was === "silent";
  const ink = bad ? RED : now ? "#0b6e75" : "#6f6b64";
  const [from, to] = [x(m.from), x(m.to)];
  const back = to < from;
  const end = to + (back ? 3 : -3);
  const middle = (from + to) / 2;
  const stopped = m.was === "silent" || m.was === "refused";
  const words = stopped ? t(m.was) : `${t(m.kind)}${m.was ? ` · ${t(m.was)}` : ""}`;
  return html`<g>
    <path d=${`M${from},${y} H${stopped ? from + (to - from) * 0.18 : end}`} fill="none" stroke=${ink} stroke-width=${now ? 2.6 : 1.8} stroke-dasharray=${m.was === "changed" ? "6 4" : null} marker-end=${stopped ? null : "url(#pv-to)"} />
    ${stopped && html`<path d=${`M${from + (to - from) * 0.18 - 5},${y - 5} l10,10 m0,-10 l-10,10`} stroke=${RED} stroke-width="2.4" />`}
    ${now && !stopped && MOVES && html`<circle r="0" cy=${y} fill=${ink}><animate attributeName="cx" from=${from} to=${end} dur="0.5s" /><animate attributeName="r" from="6" to="5" dur="0.5s" /></circle>`}
    <text class="accent" x=${middle} y=${y - 6} text-anchor="middle" style=${{ fill: ink, fontWeight: now ? 600 : 400 }}>${words}</text>
    ${m.size > 0 && !stopped && html`<${Mark} at=${`${at}.size`} digits=0 class="soft num" x=${back ? from - 8 : from + 8} y=${y + 14} text-anchor=${back ? "end" : "start"} />`}
  </g>`;
}

/** Who knows what: a row for each update and for their sum, a column for each who looks. */
function Known({ shows, t, act }) {
  const most = largest(shows.known.flatMap((r) => r.cells.map((c) => c.value ?? 0)));
  const name = { fontWeight: 600, color: "var(--ink)" };
  return html`<div class="pv-bar" style=${{ marginTop: 0, marginBottom: "10px" }}><span class="pv-choice">
      ${shows.words.map((w, i) => html`<button key=${w} data-word=${i} aria-checked=${i === shows.word} onClick=${() => act("look", { word: i })}>${w}</button>`)}
    </span></div>
    <div class="pv-scroll"><table class="pv-matrix">
      <thead><tr><th>${t("looks:")}</th>${shows.labels.map((l) => html`<th key=${l}>${l}</th>`)}</tr></thead>
      <tbody>${shows.known.map((row, i) => html`<tr key=${row.name}>
        <th style=${i === shows.known.length - 1 ? name : {}}>${row.name}</th>
        ${row.cells.map((c, j) => html`<${Seen} key=${j} c=${c} at=${`known[${i}].cells[${j}].value`} most=${most} t=${t} />`)}
      </tr>`)}</tbody>
    </table></div>`;
}

function Seen({ c, at, most, t }) {
  if (c.value !== undefined) {
    const share = num(c.value) / most;
    return html`<td class=${c.worked_out ? "lit" : ""} title=${c.worked_out ? t("worked out") : ""} style=${{ background: diverging(share), color: inkOn(share) }}><${Num} at=${at} digits=2 sign /></td>`;
  }
  if (c.cover)
    return html`<td title=${`${c.cover} (${t("covered")})`} style=${{ background: "repeating-linear-gradient(135deg, #e7e2d8 0 5px, #f4f0e8 5px 10px)", color: "#6f6b64", fontFamily: "var(--mono)", fontSize: "11px" }}>${c.cover.slice(0, 5)}…</td>`;
  return html`<td style=${{ background: "#fbf9f5", color: "#b9b3a7" }}>·</td>`;
}

function Parts({ shows, t }) {
  if (!shows.fields.length) return html`<p style=${{ margin: 0, color: "var(--soft)" }}>${shows.ended ? t("the round is given up") : shows.messages ? t("no reply") : t("nothing has been sent yet")}</p>`;
  return html`<div>${shows.fields.map((f, i) => html`<div key=${f.name} class="pv-line" style=${{ whiteSpace: "normal" }}>
    <span>${f.name}</span>
    <b style=${{ overflowWrap: "anywhere" }}>${f.numbers ? f.numbers.map((_, j) => html`<span key=${j} style=${{ marginLeft: "9px" }}><${Num} at=${`fields[${i}].numbers[${j}]`} digits=3 /></span>`) : f.text}</b>
  </div>`)}</div>`;
}
