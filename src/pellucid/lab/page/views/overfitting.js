// Chapter 8: the two curves and the line where one stops; the mask on a hidden layer; a wrong label.
import { Card, Columns, Controls, diverging, html, largest, Matrix, num, Num, Pixels, Plot, Say, Setting, view } from "../kit/index.js";
import { Key } from "../kit/key.js";

const INK = { train: "#0b6e75", test: "#d95f0e", before: "#b9b3a7" };
const WIDE = 20; // units in a row of the picture

export default view(({ shows, t, act, state }) => html`<${Columns}>
  <div>
    <${Card} title=${t("the error of an image, after each pass")} note=${t("drag the line")}>
      <${Key} of=${[
        { label: t("training images"), colour: INK.train },
        { label: t("new images"), colour: INK.test },
        ...(shows.before.length ? [{ label: t("new images, before"), colour: INK.before, dashed: true }] : []),
      ]} />
      <${Curves} shows=${shows} t=${t} act=${act} />
      <${Controls} settings=${["p", "mistakes", "count", "lr"]}><button data-do="ten" disabled=${!state.can.step} onClick=${() => act("ten")}>${t("ten passes")}</button><//>
      <div class="pv-bar" style=${{ marginTop: "10px", color: "var(--soft)" }}><span>${t("batch")}</span><${Setting} name="batch" /></div>
      <${Say} />
    <//>
    <${Card} title=${t("if you stop here")} note=${shows.stand_in ? t("digits of 8 × 8 pixels") : ""}>
      <${Compare} shows=${shows} t=${t} />
    <//>
  </div>
  <div>
    <${Card} title=${t("one image in the hidden layer")} note=${t("# of # units silent").replace("#", shows.silent).replace("#", shows.hidden)}>
      <${Layer} shows=${shows} t=${t} />
      <div style=${{ marginTop: "12px" }}><${Matrix} at="told" scale=${2.5} rows=${[t("relu"), t("mask"), t("passed")]} /></div>
    <//>
    <${Card} title=${t("a digit and its label")}>
      <${Digit} shows=${shows} t=${t} />
      <div class="pv-bar">
        <button data-do="next_wrong" disabled=${!shows.wrong} onClick=${() => act("next_wrong")}>${t("next wrong label")}</button>
        <button data-do="choose" onClick=${() => act("choose", { number: shows.chosen + 1 })}>${t("next image")}</button>
      </div>
    <//>
  </div>
<//>`);

function Curves({ shows, t, act }) {
  const passes = (list) => list.map((_, i) => i);
  const last = Math.max(shows.passes, shows.before.length - 1, 10);
  const seen = [...shows.train, ...shows.test, ...shows.before].map(num).filter(Number.isFinite);
  const top = Math.min(3, 1.05 * Math.max(...seen));
  const curves = [
    ...(shows.before.length ? [{ x: passes(shows.before), y: shows.before, colour: INK.before, dashed: true }] : []),
    { x: passes(shows.train), y: shows.train, colour: INK.train, dots: shows.passes < 25 },
    { x: passes(shows.test), y: shows.test, colour: INK.test, dots: shows.passes < 25 },
  ];
  return html`<${Plot} curves=${curves} xs=${[0, last]} ys=${[0, top]} x=${t("pass")} height=300 width=560 label=${t("the error of an image, after each pass")}
      drag=${(at) => act("stop_at", { number: Math.round(at), drag: true })}>
    ${({ sx, sy }) => html`<g>
      <line x1=${sx(shows.stop)} x2=${sx(shows.stop)} y1=${sy(top)} y2=${sy(0)} stroke="#1c1e22" stroke-width="1.6" />
      <circle cx=${sx(shows.stop)} cy=${sy(Math.min(top, num(shows.stop_test)))} r="6" fill=${INK.test} stroke="#fffefb" stroke-width="2" />
      <circle cx=${sx(shows.stop)} cy=${sy(Math.min(top, num(shows.stop_train)))} r="6" fill=${INK.train} stroke="#fffefb" stroke-width="2" />
      <rect x=${sx(shows.stop) - 7} y=${sy(top) - 3} width="14" height="14" rx="4" fill="#1c1e22" />
      <text x=${sx(shows.stop) + (shows.stop > last * 0.7 ? -12 : 12)} y=${sy(top) + 9} text-anchor=${shows.stop > last * 0.7 ? "end" : "start"} style=${{ fontWeight: 600 }}>${t("stop at #").replace("#", shows.stop)}</text>
    </g>`}
  <//>`;
}

function Compare({ shows, t }) {
  const row = (label, stop, now, digits, note) => html`<tr><th style=${{ whiteSpace: "normal" }}>${label} ${note && html`<small>${note}</small>`}</th><td style=${{ background: "var(--tint)" }}><${Num} at=${stop} digits=${digits} /></td><td style=${{ background: "#fbf9f5" }}><${Num} at=${now} digits=${digits} /></td></tr>`;
  return html`<table class="pv-matrix" style=${{ width: "100%" }}>
    <thead><tr><th></th><th style=${{ whiteSpace: "normal" }}>${t("stop at #").replace("#", shows.stop)}</th><th style=${{ whiteSpace: "normal" }}>${t("after the last pass")}</th></tr></thead>
    <tbody>
      ${row(t("training error"), "stop_train", "now_train", 3)}
      ${row(t("test error"), "stop_test", "now_test", 3)}
      ${row(t("right on test images"), "stop_right", "now_right", 1)}
      ${row(t("by heart"), "stop_heart", "now_heart", 0, t("of # wrong ones").replace("#", shows.wrong))}
    </tbody></table>`;
}

/** All units of the hidden layer; those that dropout has silenced are crossed out. */
function Layer({ shows, t }) {
  const most = largest(shows.layer_1);
  const rows = Math.ceil(shows.hidden / WIDE);
  return html`<svg viewBox="0 0 ${WIDE * 26} ${rows * 26}" role="img" aria-label=${t("one image in the hidden layer")}>
    ${shows.layer_1.map((h, i) => {
      const [x, y] = [13 + 26 * (i % WIDE), 13 + 26 * Math.floor(i / WIDE)];
      const silent = num(shows.mask[i]) === 0;
      return html`<g key=${i}><title>${silent ? t("silent") : ""}</title>
        <circle cx=${x} cy=${y} r="10.5" fill=${silent ? "#faf8f4" : diverging(num(h) / most)} stroke="#1c1e22" stroke-opacity=${silent ? 0.3 : 0.18} stroke-dasharray=${silent ? "2 3" : null} />
        ${silent && html`<path d=${`M${x - 4},${y - 4} l8,8 m0,-8 l-8,8`} stroke="#6f6b64" stroke-width="1.3" />`}</g>`;
    })}
  </svg>`;
}

function Digit({ shows, t }) {
  const wrong = shows.label !== shows.truth;
  const most = largest(shows.scores);
  const colour = (d) => (d === shows.says ? "var(--accent)" : "var(--line)");
  return html`<div style=${{ display: "grid", gridTemplateColumns: "auto minmax(0, 1fr)", gap: "20px", alignItems: "start" }}>
    <div style=${{ font: "14px/1.7 var(--sans)" }}>
      <${Pixels} of=${shows.image} size=${112} label=${String(shows.truth)} />
      <div>${t("labelled")} <b><${Num} at="label" digits=0 /></b></div>
      ${wrong && html`<div style=${{ color: "#b3400b" }}>${t("wrong, it is")} <b><${Num} at="truth" digits=0 /></b></div>`}
      <div>${t("the network says")} <b style=${{ color: wrong && shows.says === shows.label ? "#b3400b" : "var(--accent)" }}><${Num} at="says" digits=0 /></b></div>
    </div>
    <div>${shows.scores.map((s, d) => html`<div key=${d} style=${{ display: "grid", gridTemplateColumns: "1.2em 1fr 4.6em", gap: "8px", alignItems: "center", font: "13.5px/1.65 var(--sans)", fontWeight: d === shows.label ? 600 : 400 }}>
      <span>${d}</span><span style=${{ height: "10px", borderRadius: "5px", background: colour(d), width: `${Math.max(0, (100 * num(s)) / most)}%` }}></span><${Num} at=${`scores[${d}]`} /></div>`)}</div>
  </div>`;
}
