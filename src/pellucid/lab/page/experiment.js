// An experiment as a card: settings, run, stop, live curves, what was found beside what was published,
// and the code that ran.
import uPlot from "uplot";
import { html, num, Pixels, Problem, typeset, useEffect, useRef, useState } from "./kit/index.js";
import { INK, Plot } from "./kit/plot.js";
import { page as save } from "./kit/save.js";
import { done } from "./progress.js";

export function Experiment({ of: e, t, wire, language }) {
  const [values, turn] = useState(Object.fromEntries(e.parameters.map((p) => [p.name, p.default])));
  const [run, set] = useState({ state: "ready" });
  const channel = useRef();
  const curves = useRef({});
  channel.current ??= wire.channel((message) => {
    if (message.event === "progress") {
      for (const [name, [x, y]] of Object.entries(message.curves)) {
        const curve = (curves.current[name] ??= { x: [], y: [] });
        if (x.length && curve.x.length && x[0] <= curve.x.at(-1)) curve.x = curve.y = [];
        curve.x = [...curve.x, ...x];
        curve.y = [...curve.y, ...y];
      }
      set((now) => ({ ...now, done: message.done, total: message.total, updates: (now.updates ?? 0) + 1 }));
    } else {
      if (message.event === "finished") done(e.id);
      set((now) => ({ ...now, state: { problem: "failed" }[message.event] ?? message.event, found: message }));
    }
  });
  const start = (settings = values) => {
    curves.current = {};
    set({ state: "running" });
    channel.current.send({ run: e.id, settings, language });
  };
  const chosen = Object.fromEntries(Object.entries(values).filter(([name, v]) => v !== e.parameters.find((p) => p.name === name).default));
  const attempt = (name, value) => {
    const p = e.parameters.find((one) => one.name === name);
    const next = { ...values, [name]: typed(p, value) };
    turn(next);
    if (run.state !== "running") start(next);
  };
  const running = run.state === "running";
  return html`<article class="experiment" id=${`e${e.id}`} data-state=${run.state} data-updates=${run.updates ?? 0}>
    <header><span class="number">${e.span}</span><h3>${e.title}</h3>${e.slow && html`<small>${e.long ? t("many minutes") : t("slow")}</small>`}</header>
    <p>${prose(e.shows)}</p>
    <form class="pv-bar" onSubmit=${(event) => (event.preventDefault(), start())}>
      ${running
        ? html`<button type="button" class="go" data-do="stop" onClick=${() => channel.current.send({ stop: true })}>${t("stop")}</button>`
        : html`<button type="submit" class="go" data-do="run">${t("run")} ▶</button>`}
      ${e.parameters.map((p) => html`<${Parameter} key=${p.name} of=${p} value=${values[p.name]} set=${(v) => turn({ ...values, [p.name]: typed(p, v) })} />`)}
      ${Object.keys(chosen).length > 0 && html`<button type="button" onClick=${() => turn(Object.fromEntries(e.parameters.map((p) => [p.name, p.default])))}>${t("as published")}</button>`}
    </form>
    ${running && html`<${Progress} run=${run} t=${t} />`}
    ${run.state === "stopped" && html`<p class="status">${t("stopped")}</p>`}
    ${run.state === "failed" && html`<${Problem} of=${run.found} />`}
    ${run.state !== "finished" && Object.keys(curves.current).length > 0 && html`<${LiveCurves} curves=${curves.current} tick=${run.updates} />`}
    ${run.state === "finished" && html`<p class="save"><button type="button" data-save="html" onClick=${(event) => save(event.target.closest("article"), `experiment-${e.id}`, `${e.span} ${e.title}`)}>${t("save as")} HTML</button></p>`}
    ${run.state === "finished" && html`<${Outcome} found=${run.found} e=${e} t=${t} attempt=${attempt} />`}
    <details class="code"><summary>${t("the code that runs")}</summary><pre class="pv-code"><code>${e.source}</code></pre></details>
  </article>`;
}

function typed(p, value) {
  if (p.kind === "bool") return value === true || value === "true";
  if (p.kind === "str") return String(value);
  const number = Number(value);
  return value === "" || Number.isNaN(number) ? value : number;
}

function Parameter({ of: p, value, set }) {
  const name = html`<span>${p.label}${p.label !== p.name && html` <code>${p.name}</code>`}</span>`;
  if (p.kind === "bool")
    return html`<label class="pv-switch" title=${p.help}><input type="checkbox" name=${p.name} checked=${value} onChange=${(e) => set(e.target.checked)} />${name}</label>`;
  const wide = p.kind === "str" ? Math.max(8, String(value).length) : 7;
  return html`<label class="parameter" title=${p.help}>${name}<input name=${p.name} class="num" size=${wide} value=${value} inputmode=${p.kind === "str" ? "text" : "decimal"} onInput=${(e) => set(e.target.value)} /></label>`;
}

function Progress({ run, t }) {
  const share = run.total ? run.done / run.total : 0;
  return html`<div class="progress" role="progressbar" aria-valuenow=${Math.round(100 * share)}>
    <div style=${{ width: `${100 * share}%` }}></div>
    <span class="num">${run.total ? `${run.done} / ${run.total}` : t("starting")}</span>
  </div>`;
}

/** Curves while they grow: uPlot draws thousands of points in a millisecond. */
function LiveCurves({ curves, tick }) {
  const box = useRef();
  const plot = useRef();
  const names = Object.keys(curves);
  useEffect(() => {
    const finite = (v) => (Number.isFinite(num(v)) ? num(v) : null); // what grows beyond all bounds is left out
    const columns = uPlot.join(names.map((n) => [curves[n].x, curves[n].y.map(finite)]));
    const key = names.join("|");
    if (plot.current?.key !== key) {
      plot.current?.destroy();
      const css = getComputedStyle(box.current);
      const axis = { stroke: "#6f6b64", grid: { stroke: "#e7e2d8", width: 1 }, ticks: { show: false }, font: `12px ${css.fontFamily}` };
      plot.current = new uPlot(
        {
          width: box.current.clientWidth,
          height: 220,
          scales: { x: { time: false } },
          axes: [axis, { ...axis, size: 56 }],
          series: [{}, ...names.map((label, i) => ({ label, stroke: INK[i % INK.length], width: 2, points: { show: false }, spanGaps: true }))],
          legend: { live: false },
          cursor: { show: false },
        },
        columns,
        box.current,
      );
      plot.current.key = key;
    } else plot.current.setData(columns);
  }, [tick, names.length]);
  useEffect(() => () => plot.current?.destroy(), []);
  return html`<div class="live" ref=${box}></div>`;
}

// ------------------------------------------------------------------------------------ what was found

function Outcome({ found, e, t, attempt }) {
  const many = found.exhibits.filter((x) => x.kind === "plot").length > 4;
  return html`<div class=${many ? "found many" : "found"}>
    ${found.exhibits.map((x, i) => html`<${Exhibit} key=${i} of=${x} small=${many} />`)}
    ${found.figures.length > 0 && html`<${Figures} found=${found} e=${e} t=${t} />`}
    ${found.numbers.length > 0 && html`<section><h4>${t("found")}</h4><table class="plain"><tbody>${found.numbers.map((n) => html`<tr><th>${n.name}</th><td class="num">${typeset(n.value)}</td></tr>`)}</tbody></table></section>`}
    ${found.agreements.length > 0 && html`<section><h4>${t("computed twice")}</h4><ul class="agree">${found.agreements.map((a) => html`<li class=${a.ok ? "yes" : "no"}>${a.name}: ${a.ok ? t("the same") : t("NOT the same")} <small class="num">${typeset(a.difference)}</small></li>`)}</ul></section>`}
    ${found.steps.length > 0 && html`<details class="steps"><summary>${t("the first steps, number by number")}</summary>${found.steps.map((s) => html`<${Step} of=${s} t=${t} />`)}</details>`}
    ${e.look && html`<section class="read"><h4>${t("what to look for")}</h4><p><${Tries} text=${e.look} e=${e} attempt=${attempt} t=${t} /></p></section>`}
    ${e.next && html`<section class="read"><h4>${t("what to try next")}</h4><p><${Tries} text=${e.next} e=${e} attempt=${attempt} t=${t} /></p></section>`}
    <p class="status num">${t("took # seconds").replace("#", found.seconds < 0.005 ? "< 0.01" : found.seconds.toFixed(found.seconds < 10 ? 2 : 0))}</p>
  </div>`;
}

/** Straight quotation marks, as keyboards have them, bent as they are printed. */
const prose = (text) => text.replace(/"([^"]*)"/g, "“$1”").replace(/(?<=[a-z])'(?=[a-z\s])/g, "’");

/** "Try --lr 0.5" with a button in place of the option. */
function Tries({ text, e, attempt, t }) {
  const parts = text.split(/(--[a-z][a-z-]*(?:[ =](?:-?[\d.]+|"[^"]*"|[a-z]+))?[.,:;?)，。：；？）、]*)/);
  const open = () => {
    const steps = document.getElementById(`e${e.id}`).querySelector(".steps");
    if (steps) (steps.open = true), steps.scrollIntoView({ block: "center", behavior: "smooth" });
  };
  return parts.map((part) => {
    if (part.startsWith("--explain")) return html`<button class="link" onClick=${open}>${t("the first steps, number by number")}</button>${part.slice(9)}`;
    const match = /^--([a-z-]+)(?:[ =](.*?))?([.,:;?)，。：；？）、]*)$/.exec(part);
    const name = match && match[1].replaceAll("-", "_").replace(/^alpha$/, "lr");
    const setting = match && e.parameters.find((p) => p.name === name);
    if (!setting) return match ? html`<code>${part.slice(0, part.length - match[3].length)}</code>${match[3]}` : prose(part);
    const wanted = match[2]?.replaceAll('"', "");
    const fits = wanted !== undefined && (setting.kind === "str" || !Number.isNaN(Number(wanted)));
    if (!fits) return html`<b>${name}</b>${wanted === undefined ? "" : ` ${match[2]}`}${match[3]}`;
    return html`<span class="whole"><button class="try" onClick=${() => attempt(name, wanted)}>${name} ${typeset(wanted)}</button>${match[3]}</span>`;
  });
}

function Figures({ found, e, t }) {
  const called = (name) => e.parameters.find((p) => p.name === name)?.label ?? name;
  const word = (met) => (met === true ? t("met") : met === false ? t("missed") : "–");
  return html`<section><h4>${t("published figures")}</h4>
    <table class="plain figures"><thead><tr><th></th><th>${t("published")}</th><th>${t("ours")}</th><th></th></tr></thead><tbody>
      ${found.figures.map((f) => html`<tr data-met=${String(f.met)}><th>${f.name}${f.how && html` <small>${f.how}</small>`}</th><td class="num">${typeset(f.published)}</td><td class="num">${typeset(f.ours)}</td><td class=${f.met ? "yes" : "no"}>${word(f.met)}</td></tr>`)}
    </tbody></table>
    ${found.changed.length > 0 && html`<p class="status">${t("not compared, for other settings:")} ${found.changed.map(called).join(", ")}</p>`}
  </section>`;
}

function Step({ of, t }) {
  return html`<section><h4>${of.title}</h4>${["predict", "compare", "learn"].map((stage) => {
    const values = of.values.filter((v) => v.stage === stage);
    return values.length > 0 && html`<div class="stage"><h5>${t(stage)}</h5>${values.map((v) => html`<div class="value"><code>${v.name}</code> <span>= ${v.formula}</span>${v.shape && html` <small class="num">${v.shape}</small>`}<pre class="num">${v.value}</pre></div>`)}</div>`;
  })}</section>`;
}

function Exhibit({ of, small }) {
  const title = of.title && html`<h4>${of.title}</h4>`;
  switch (of.kind) {
    case "note":
      return html`<p class=${of.alarm ? "note alarm" : "note"}>${prose(of.text)}</p>`;
    case "table":
      return html`<section>${title}<div class="pv-scroll"><table class="plain"><thead><tr>${of.headings.map((h, i) => html`<th class=${of.words[i] ? "word" : ""}>${h}</th>`)}</tr></thead>
        <tbody>${of.rows.map((row) => html`<tr>${row.map((cell, i) => html`<td class=${of.words[i] ? "word" : "num"}>${of.words[i] ? cell : typeset(cell)}</td>`)}</tr>`)}</tbody></table></div></section>`;
    case "plot":
      return html`<section class="plot">${title}${of.curves.some((c) => c.names.length) ? html`<${Map} of=${of} />` : html`<${Plot} curves=${of.curves.map((c) => ({ ...c, dots: of.points }))} x=${of.x} y=${of.y} log=${of.log} width=${small ? 420 : 640} height=${small ? 230 : 260} label=${of.title} />`}</section>`;
    case "picture":
      return html`<section>${title}<div class="pictures">${of.images.map((image) => html`<figure><${Pixels} of=${image.pixels} signed=${of.signed} /><figcaption>${image.caption}</figcaption></figure>`)}</div></section>`;
    case "nested":
      return html`<section>${title}${of.names.reduceRight((inside, name) => html`<div class="nested"><span>${name}</span>${inside}</div>`, null)}</section>`;
    default:
      return html`<section>${title}${of.svg ? html`<div class="pv-scroll"><img class="sheet" alt=${of.title} src=${`data:image/svg+xml;charset=utf-8,${encodeURIComponent(of.svg)}`} /></div>` : html`<pre class="pv-code">${of.text}</pre>`}</section>`;
  }
}

/** Named points, like towns on a map. */
function Map({ of }) {
  return html`<${Plot} curves=${of.curves.map((c) => ({ ...c, width: 0, label: "" }))} x=${of.x} y=${of.y} width=640 height=420 label=${of.title}>
    ${({ sx, sy }) => of.curves.map((c, i) => c.names.map((name, j) => html`<g fill=${INK[i % INK.length]}><circle cx=${sx(c.x[j])} cy=${sy(c.y[j])} r="2.5" /><text class="town" x=${sx(c.x[j]) + 5} y=${sy(c.y[j]) + 4}>${name}</text></g>`))}
  <//>`;
}
