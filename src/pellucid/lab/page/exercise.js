// From memory: a blank to fill in, checked on this machine; what was written stays in this browser.
import { diverging, fmt, html, inkOn, largest, num, useRef, useState } from "./kit/index.js";
import { done, progress } from "./progress.js";

const KEY = "pellucid-exercises";
const MOST = 3; // hints

function drafts() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

function keep(name, code) {
  localStorage.setItem(KEY, JSON.stringify({ ...drafts(), [name]: code }));
}

export function Exercises({ of, words, wire, language }) {
  if (of.length === 0) return null;
  const t = (word) => words[word] ?? word;
  return html`<section class="memory" id="from-memory">
    <h2 class="part">${t("from memory")}</h2>
    <p class="lead">${t("close the book")}</p>
    ${of.map((e) => html`<${Exercise} key=${e.name} of=${e} t=${t} wire=${wire} language=${language} />`)}
  </section>`;
}

function Exercise({ of: e, t, wire, language }) {
  const [code, write] = useState(drafts()[e.name] ?? e.blank);
  const [verdict, judge] = useState(null);
  const [checking, wait] = useState(false);
  const [stale, outdate] = useState(false);
  const [failures, count] = useState(0);
  const [asked, ask] = useState(0);
  const [solved, solve] = useState(Boolean(progress()[e.name]));
  const channel = useRef();
  channel.current ??= wire.channel((message) => {
    wait(false);
    outdate(false);
    judge(message.event === "problem" ? { say: message.message, kind: "problem", right: [] } : message);
    if (message.solved) (done(e.name), solve(true));
    else if (message.event === "checked" && message.kind !== "blank") count((n) => n + 1);
  });
  const change = (text) => {
    write(text);
    outdate(true);
    keep(e.name, text);
  };
  const check = () => {
    if (checking) return;
    wait(true);
    channel.current.send({ check: e.name, code, language });
  };
  const hints = Math.min(MOST, Math.max(asked, failures - 1)); // the first wrong answer is told about, not helped
  return html`<article class="experiment exercise" id=${e.name} data-kind=${verdict?.kind ?? ""} data-checked=${failures}>
    <header><h3>${e.title}</h3>${solved && html`<small class="solved">✓ ${t("solved")}</small>`}</header>
    <p><${Told} text=${e.task} /></p>
    <${Editor} code=${code} write=${change} check=${check} blame=${stale ? 0 : (verdict?.line ?? 0)} t=${t} />
    <div class="pv-bar">
      <button class="go" data-do="check" disabled=${checking} onClick=${check}>${checking ? t("checking") : t("check")}</button>
      ${hints < MOST && !(verdict?.solved && !stale) && html`<button data-do="hint" onClick=${() => ask(hints + 1)}>${hints ? t("another hint") : t("a hint")}</button>`}
      ${code !== e.blank && html`<button data-do="over" onClick=${() => change(e.blank)}>${t("start over")}</button>`}
      <small class="keys">${t("keys")}</small>
    </div>
    <div aria-live="polite">${verdict && html`<${Verdict} of=${verdict} t=${t} stale=${stale} />`}</div>
    ${hints > 0 && html`<ol class="hints">${e.hints.slice(0, hints).map((hint, i) => html`<li key=${i}><b>${t("hint #").replace("#", i + 1)}</b><span><${Told} text=${hint} /></span></li>`)}</ol>`}
  </article>`;
}

/** Words in which `code` stands between backticks. */
const Told = ({ text }) => text.split("`").map((part, i) => (i % 2 ? html`<code>${part}</code>` : part));

// ---------------------------------------------------------------------------------------- the editor

function Editor({ code, write, check, blame, t }) {
  const leaving = useRef(false);
  const lines = code.split("\n").length;
  const key = (event) => {
    const area = event.target;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) (event.preventDefault(), check());
    else if (event.key === "Enter" && !event.isComposing) (event.preventDefault(), insert(area, `\n${indentation(area)}`));
    else if (event.key === "Tab" && !leaving.current) (event.preventDefault(), shift(area, event.shiftKey));
    leaving.current = event.key === "Escape" || (leaving.current && event.key === "Shift");
  };
  return html`<div class="editor">
    <pre class="lines num" aria-hidden="true">${Array.from({ length: lines }, (_, i) => html`<span key=${i} class=${i + 1 === blame ? "blame" : ""}>${i + 1}</span>`)}</pre>
    <textarea aria-label=${t("your code")} spellcheck="false" autocapitalize="off" autocomplete="off" rows=${lines} value=${code} onInput=${(event) => write(event.target.value)} onKeyDown=${key}></textarea>
  </div>`;
}

/** As if it had been typed, so that it can be undone. */
function insert(area, text) {
  const does = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
  if (does) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

/** What the line begins with; one level more after a colon. */
function indentation(area) {
  const line = area.value.slice(0, area.selectionStart).split("\n").at(-1);
  return /^ */.exec(line)[0] + (/:\s*(#.*)?$/.test(line) ? "    " : "");
}

/** Tab: to the next level, or all lines that are selected; with Shift the other way. */
function shift(area, back) {
  const { value, selectionStart: start, selectionEnd: end } = area;
  const from = value.lastIndexOf("\n", start - 1) + 1;
  if (!back && start === end) return insert(area, " ".repeat(4 - ((start - from) % 4)));
  const chosen = value.slice(from, end);
  const moved = back ? chosen.replace(/^ {1,4}/gm, "") : chosen.replace(/^(?=.)/gm, "    ");
  if (moved === chosen) return;
  area.setSelectionRange(from, end);
  insert(area, moved);
  if (start === end) area.setSelectionRange(Math.max(from, end + moved.length - chosen.length), Math.max(from, end + moved.length - chosen.length));
  else area.setSelectionRange(from, from + moved.length);
}

// --------------------------------------------------------------------------------------- what came of it

function Verdict({ of, t, stale }) {
  const { question: q, right } = of;
  const scale = q && largest(q.wanted.map((v) => v.values ?? 0)); // colours of both mean the same
  return html`<div class=${`verdict${of.solved ? " right" : ""}${stale ? " stale" : ""}`}>
    <p class="say"><${Told} text=${of.say} /></p>
    ${q && html`<div class="question">
      <p class="which num"><b>${fill(t("question # of #"), q.number, q.of)}</b><span class="marks" aria-hidden="true">${Array.from({ length: q.of }, (_, i) => html`<i key=${i} class=${right[i] === undefined ? "" : right[i] ? "yes" : "no"}></i>`)}</span>
        <span>${fill(t("right questions"), right.filter(Boolean).length, q.of)}</span></p>
      <${Row} title=${t("what it is called with")} values=${q.asked} t=${t} />
      <${Row} title=${t("by the engine")} values=${q.wanted} scale=${scale} t=${t} />
      ${q.yours && html`<${Row} title=${t("yours")} values=${q.yours} scale=${scale} t=${t} />`}
    </div>`}
    ${of.output && html`<details class="printed" open=${!of.solved}><summary>${t("it printed")}</summary><pre class="pv-code output">${of.output}</pre></details>`}
  </div>`;
}

const fill = (text, ...numbers) => numbers.reduce((told, n) => told.replace("#", n), text);

const Row = ({ title, values, scale, t }) => html`<div class="row"><h4>${title}</h4><div class="values">
  ${values.map((v, i) => html`<figure key=${i}>${v.name && html`<figcaption><code>${v.name}</code></figcaption>`}<${Value} of=${v} scale=${scale} t=${t} /></figure>`)}
</div></div>`;

function Value({ of: v, scale, t }) {
  if (v.text !== undefined) return html`<code class="text">${v.text}</code>`;
  const shape = v.shape.length === 1 ? `(${v.shape[0]},)` : `(${v.shape.join(", ")})`;
  if (v.values === null) return html`<span class="soft num">${t("shape #").replace("#", shape)}</span>`;
  const rows = v.shape.length === 2 ? v.values : v.shape.length ? [v.values] : [[v.values]];
  const wrong = v.wrong && (v.shape.length === 2 ? v.wrong : v.shape.length ? [v.wrong] : [[v.wrong]]);
  const most = scale ?? largest(v.values);
  return html`<div class="pv-scroll"><table class="pv-matrix"><tbody>
    ${rows.map((row, i) => html`<tr key=${i}>${row.map((x, j) => {
      const size = v.shape.length ? num(x) / most : 0;
      return html`<td key=${j} class=${`num${wrong?.[i][j] ? " wrong" : ""}`} style=${{ background: diverging(size), color: inkOn(size) }} title=${String(x)}>${short(x)}</td>`;
    })}</tr>`)}
  </tbody></table></div>`;
}

/** Four decimals at most, and no zeros at the end. */
const short = (x) => fmt(x, 4).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
