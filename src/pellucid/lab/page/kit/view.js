// The frame of a view: `export default view(Body)` is a module in AFM form, { render({ model, el }) }.
//
// The model is the page's own (model.js), or anywidget's in a notebook: it has `get("state")`, says
// "change:state", and takes messages with `send`. The state is what the Python model's `state()` told.
import { createContext, html, render, signal, useContext, useEffect, useRef, useState } from "./core.js";
import { fmt } from "./format.js";
import { download, picture } from "./save.js";

const Here = createContext(null);

/** What the body of a view works with:
 *   shows        the numbers of the Python model
 *   at(path)     one of them: at("weights[0][1]")
 *   value(name)  what a setting is turned to
 *   act(do, {})  have the Python model do something
 *   t(word)      a label in the reader's language
 *   state        all of it */
export const useView = () => useContext(Here);

export function view(Body) {
  return {
    render({ model, el }) {
      const state = signal(model.get("state"));
      const problem = signal(null);
      const ran = signal(null);
      const send = sender(model);
      const changed = () => {
        state.value = model.get("state");
        problem.value = null;
        send.next();
      };
      const told = (message) => {
        if (message.event === "ran") return ran.value = message;
        if (message.event === "file") download(message);
        if (message.event === "problem") problem.value = message;
        send.next();
      };
      model.on("change:state", changed);
      model.on("msg:custom", told);
      el.classList.add("pv");
      render(html`<${Frame} Body=${Body} state=${state} problem=${problem} ran=${ran} send=${send} model=${model} el=${el} />`, el);
      return () => {
        model.off("change:state", changed);
        model.off("msg:custom", told);
        render(null, el);
      };
    },
  };
}

/** Sends one message at a time. What a dragged slider says meanwhile replaces what it said before. */
function sender(model) {
  const queue = [];
  let busy = false;
  let timer;
  const pass = () => {
    clearTimeout(timer);
    busy = queue.length > 0;
    if (!busy) return;
    const { drag, ...message } = queue.shift();
    model.send(message);
    timer = setTimeout(pass, 4000);
  };
  const key = (m) => (m.drag ? JSON.stringify([m.do, m.name, m.drag]) : null);
  const send = (message) => {
    const last = queue.at(-1);
    if (last && key(last) && key(last) === key(message)) queue[queue.length - 1] = message;
    else queue.push(message);
    if (!busy) pass();
  };
  send.next = pass;
  return send;
}

function Frame({ Body, state, problem, ran, send, model, el }) {
  const now = state.value;
  const [playing, play] = useState(false);
  const act = (what, values = {}) => send({ do: what, ...values });
  const here = {
    state: now,
    shows: now.shows,
    t: (word) => now.words[word] ?? word,
    at: (path) => look(now.shows, path),
    value: (name) => now.settings.find((s) => s.name === name)?.value,
    act,
    save: (kind) => (kind === "png" ? picture(el, now.view) : send({ save: kind })),
    playing,
    play,
    recorded: model.recorded,
    ran,
    tryCode: model.runs ? (code) => model.send({ code }) : null,
  };
  useEffect(() => {
    if (!playing) return undefined;
    if (!now.can.step) {
      play(false);
      return undefined;
    }
    const timer = setTimeout(() => act("step"), 420);
    return () => clearTimeout(timer);
  }, [playing, now]);
  useEffect(() => void (el.dataset.states = Number(el.dataset.states ?? 0) + 1), [now]); // how many were drawn
  useKeys(el, here);
  return html`<${Here.Provider} value=${here}>
    <header class="pv-head"><h2>${now.title}</h2><p>${now.lead}</p></header>
    <div class="pv-body"><${Body} ...${here} /></div>
    ${problem.value && html`<${Problem} of=${problem.value} />`}
    <${Tools} />
  <//>`;
}

/** What went wrong: in the reader's language, and below in the framework's own words. */
export const Problem = ({ of }) => html`<p class="pv-problem" role="alert">${of.message}${of.original && html`<small lang="en">${of.original}</small>`}</p>`;

/** Space or → one step, ← back, P play, R reset: for the view that was pointed at last. A notebook has
 * keys of its own (R makes plain text of a cell): there, for the view that was clicked, and before it. */
function useKeys(el, here) {
  const latest = useRef();
  latest.current = here;
  useEffect(() => {
    const mine = () => {
      for (const other of document.querySelectorAll(".pv-active")) other.classList.remove("pv-active");
      el.classList.add("pv-active");
    };
    const key = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const notebook = event.target.closest?.(".jp-Notebook");
      if (notebook && !el.contains(event.target)) return;
      if (event.target.closest?.("input, textarea, select, [contenteditable]")) {
        if (notebook) event.stopPropagation(); // it would take Enter, and A for a new cell
        return;
      }
      if (event.key === " " && event.target.closest?.("button, a, summary")) return;
      const active = document.querySelector(".pv-active") ?? document.querySelector(".pv");
      if (active !== el) return;
      const { act, state, play, playing } = latest.current;
      const does = {
        ArrowRight: () => state.can.step && act("step"),
        " ": () => state.can.step && act("step"),
        ArrowLeft: () => state.can.back && act("back"),
        p: () => play(!playing),
        r: () => act("reset"),
      }[event.key];
      if (!does) return;
      event.preventDefault();
      event.stopPropagation();
      does();
    };
    el.tabIndex = -1; // can be clicked into
    el.addEventListener("pointerenter", mine);
    el.addEventListener("focusin", mine);
    window.addEventListener("keydown", key, true);
    return () => {
      el.removeEventListener("pointerenter", mine);
      el.removeEventListener("focusin", mine);
      window.removeEventListener("keydown", key, true);
    };
  }, []);
}

/** Back, step, play, reset, another seed; then the settings, and what the view adds itself. */
export function Controls({ settings, children, step = true }) {
  const { state, act, t, play, playing } = useView();
  const shown = settings ?? state.settings.map((s) => s.name);
  return html`<div class="pv-bar">
    <button data-do="back" disabled=${!state.can.back} onClick=${() => act("back")} title="←">◀ ${t("back")}</button>
    ${step &&
    html`<button class="go" data-do="step" disabled=${!state.can.step} onClick=${() => act("step")} title="→">${t("step")} ▶</button>
      <button data-do="play" disabled=${!state.can.step && !playing} onClick=${() => play(!playing)} title="P">${playing ? t("pause") : t("play")}</button>`}
    ${children}
    <button data-do="reset" onClick=${() => (play(false), act("reset"))} title="R">${t("reset")}</button>
    ${state.seed !== null &&
    html`<button data-do="seed" onClick=${() => act("seed", { value: state.seed + 1 })}>${t("seed")} <span class="num">${state.seed}</span></button>`}
  </div>
  ${shown.length > 0 && html`<div class="pv-bar settings">${shown.map((name) => html`<${Setting} key=${name} name=${name} />`)}</div>`}`;
}

/** One setting: <Setting name="lr" />, or of={...}. */
export function Setting({ of, name }) {
  const { state, act } = useView();
  const s = of ?? state.settings.find((one) => one.name === name);
  const set = (value, drag) => act("set", { name: s.name, value, ...(drag ? { drag: true } : {}) });
  if (s.kind === "slider") return html`<${Slider} of=${s} set=${set} />`;
  if (s.kind === "switch")
    return html`<label class="pv-switch"><input type="checkbox" data-set=${s.name} checked=${s.value} onChange=${(e) => set(e.target.checked)} /><span>${s.label}</span></label>`;
  if (s.kind === "choice")
    return html`<span class="pv-choice" role="radiogroup" aria-label=${s.label}>
      ${s.choices.map((c) => html`<button role="radio" key=${c.value} data-set=${s.name} data-value=${c.value} aria-checked=${c.value === s.value} onClick=${() => set(c.value)}>${c.label}</button>`)}
    </span>`;
  return html`<label class="pv-words"><span>${s.label}</span><input type="text" data-set=${s.name} value=${s.value} size=${Math.max(20, Math.min(46, s.value.length + 2))} maxlength=${s.longest} onChange=${(e) => set(e.target.value)} /></label>`;
}

function Slider({ of, set }) {
  const [held, hold] = useState(null);
  const place = (v) => (of.log ? Math.log10(v) : v);
  const value = held ?? of.value;
  const decimals = Math.max(0, -Math.floor(Math.log10(of.step) + 1e-9));
  const take = (event) => {
    const at = Number(event.target.value);
    const wanted = of.log ? 10 ** at : at;
    const inside = Math.min(of.high, Math.max(of.low, wanted));
    hold(inside);
    set(Number(inside.toPrecision(6)), true);
  };
  return html`<label class="pv-slider"><span>${of.label} <b class="num">${fmt(Number(value.toFixed(decimals)), decimals)}</b></span>
    <input type="range" data-set=${of.name} min=${place(of.low)} max=${place(of.high)} step=${of.log ? "any" : of.step}
      value=${place(value)} onInput=${take} onChange=${() => hold(null)} /></label>`;
}

/** The sentence that says what just happened. */
export function Say() {
  const { state } = useView();
  return html`<p class="pv-say" aria-live="polite" data-said=${state.said}>${state.say}</p>`;
}

function Tools() {
  const { t, save, recorded } = useView();
  return html`<footer class="pv-tools">
    <details><summary>${t("show the Python for this")}</summary><${Python} /></details>
    <span class="pv-save">${t("save as")}
      ${["png", ...(recorded ? [] : ["csv", "html"])].map((kind) => html`<button key=${kind} data-save=${kind} onClick=${() => save(kind)}>${kind.toUpperCase()}</button>`)}
    </span>
  </footer>`;
}

/** The program for what is seen. On the site it can be changed and run: in a process of its own. */
function Python() {
  const { state, t, ran, tryCode } = useView();
  const [own, write] = useState(null); // what the reader made of it
  const [copied, copy] = useState(false);
  const [waiting, wait] = useState(false);
  const code = own ?? state.python;
  const answer = ran.value;
  useEffect(() => wait(false), [answer]);
  const start = () => {
    wait(true);
    tryCode(code);
  };
  const words = { endless: t("it took too long and was stopped"), long: t("the code is too long"), ended: t("it ended without a word") };
  return html`
    ${tryCode
      ? html`<textarea class="pv-code" spellcheck="false" rows=${Math.min(26, code.split("\n").length + 1)} value=${code} onInput=${(e) => write(e.target.value)}></textarea>`
      : html`<pre class="pv-code"><code>${code}</code></pre>`}
    ${tryCode && html`<button class="go" data-do="code" disabled=${waiting} onClick=${start}>${waiting ? t("running") : t("run it")}</button>`}
    <button onClick=${() => navigator.clipboard?.writeText(code).then(() => copy(true))}>${copied ? t("copied") : t("copy")}</button>
    ${own !== null && html`<button onClick=${() => write(null)}>${t("as it was")}</button>`}
    ${answer?.output && html`<pre class="pv-code output">${answer.output}</pre>`}
    ${answer?.trouble && html`<pre class="pv-problem">${words[answer.trouble] ?? answer.trouble}</pre>`}`;
}

/** `look(shows, "weights[0][1]")`, also into binary arrays. */
export function look(shows, path) {
  return path
    .replace(/\[(\w+)\]/g, ".$1")
    .split(".")
    .reduce((value, key) => value?.[key], shows);
}
