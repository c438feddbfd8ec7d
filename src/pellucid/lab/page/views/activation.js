// Chapter 9: a function with its slope, a stack of layers that the blame must get through, and softmax.
import { Card, Columns, Controls, diverging, html, largest, Num, num, Plot, Say, Setting, useEffect, useRef, view } from "../kit/index.js";
import { Key } from "../kit/key.js";

const [VALUE, SLOPE] = ["#1c1e22", "#d95f0e"];

export default view((here) => {
  const { shows, t } = here;
  return html`<${Columns}>
    <div>
      <${Card} title=${t("the function and its slope")} note=${t("drag the input")}>
        <${Key} of=${[{ label: t("value"), colour: VALUE }, { label: t("slope"), colour: SLOPE }, { label: t("flat: little gets back"), colour: "#d9e4f1" }]} />
        <${Curve} ...${here} />
        <p class="num" style=${{ font: "16px/1.6 var(--sans)", textAlign: "center", margin: "6px 0 0" }}>
          ${t("input")} <b><${Num} at="x" digits=3 /></b> → ${t("value")} <b><${Num} at="y" digits=3 /></b> · ${t("slope")} <b style=${{ color: "var(--orange)" }}><${Num} at="slope" digits=3 /></b>
        </p>
        <${Controls} settings=${["function", "weight"]} />
        ${!shows.bars && html`<${Say} />`}
      <//>
    </div>
    <div>
      <${Card} title=${t("a stack of layers")} note=${t("step adds one")}><${Stack} ...${here} /><//>
      <${Card} title=${t("softmax: scores become shares")} note=${t("drag a score · click the right one")}>
        <${Shares} ...${here} />
        <div class="pv-bar"><${Setting} name="sharpness" /><${Setting} name="shift" /></div>
        ${shows.bars && html`<${Say} />`}
      <//>
    </div>
  <//>`;
});

function Curve({ shows, t, act }) {
  const { x, y, slope } = shows.curve;
  const bounds = { sigmoid: [-0.15, 1.15], tanh: [-1.2, 1.2] }[shows.function] ?? [-2, 4];
  const inside = (values) => values.map((v) => (v < bounds[0] || v > bounds[1] ? NaN : v));
  const curves = [{ x, y: inside(y), colour: VALUE, width: 2.6 }, { x, y: inside(slope), colour: SLOPE }];
  const drag = (to) => act("drag", { x: Number(to.toFixed(2)), drag: true });
  return html`<${Plot} curves=${curves} x=${t("input")} xs=${[x[0], x.at(-1)]} ys=${bounds} height=300 width=560 drag=${drag} label=${t("the function and its slope")}>
    ${({ sx, sy }) => {
      const clip = (v) => Math.min(bounds[1], Math.max(bounds[0], num(v)));
      const at = num(shows.x);
      const run = 1.4;
      const room = Math.max(0, Math.min(bounds[1] - num(shows.y), num(shows.y) - bounds[0]));
      const reach = Math.min(run, room / Math.abs(num(shows.slope)) || run);
      const tangent = (u) => num(shows.y) + num(shows.slope) * (u - at);
      return html`
        ${shows.dead.map(([a, b]) => html`<rect key=${a} x=${sx(a)} width=${Math.max(1, sx(b) - sx(a))} y=${sy(bounds[1])} height=${sy(bounds[0]) - sy(bounds[1])} fill="#2166ac" opacity="0.13" />`)}
        <line x1=${sx(at - reach)} x2=${sx(at + reach)} y1=${sy(tangent(at - reach))} y2=${sy(tangent(at + reach))} stroke="#0b6e75" stroke-width="2" />
        <line x1=${sx(at)} x2=${sx(at)} y1=${sy(clip(shows.y))} y2=${sy(clip(shows.slope))} stroke="#0b6e75" stroke-dasharray="3 4" />
        <circle cx=${sx(at)} cy=${sy(clip(shows.slope))} r="5" fill=${SLOPE} />
        ${shows.layers.slice(1).map((layer, i) => Math.abs(num(layer.input)) <= x.at(-1) && num(layer.value) === clip(layer.value) && html`<circle key=${i} cx=${sx(num(layer.input))} cy=${sy(clip(layer.value))} r="4" fill="none" stroke="#0b6e75" stroke-width="1.5" opacity=${1 - (0.7 * i) / shows.layers.length} />`)}
        <circle cx=${sx(at)} cy=${sy(clip(shows.y))} r="9" fill="#0b6e75" stroke="#fffefb" stroke-width="2" />`;
    }}
  <//>`;
}

function Stack({ shows, t }) {
  const box = useRef();
  useEffect(() => void (box.current.scrollTop = box.current.scrollHeight), [shows.layers.length]);
  const head = { position: "sticky", top: 0, background: "var(--card)", zIndex: 1 };
  const tight = { minWidth: 0, padding: "7px 5px" };
  const whole = (left) => Math.min(1, Math.abs(num(left)));
  return html`<div class="pv-scroll" ref=${box} style=${{ maxHeight: "292px", overflowY: "auto" }}><table class="pv-matrix" style=${{ width: "100%" }}>
    <thead><tr>${["layer", "its input", "value", "slope", "blame left"].map((h) => html`<th key=${h} style=${head}>${t(h)}</th>`)}<th style=${{ ...head, width: "20%" }}></th></tr></thead>
    <tbody>${shows.layers.map((layer, i) => html`<tr key=${i}>
      <th scope="row" style=${{ textAlign: "center" }}>${i + 1}</th>
      <td style=${tight}><${Num} at=${`layers[${i}].input`} /></td><td style=${tight}><${Num} at=${`layers[${i}].value`} /></td>
      <td style=${{ ...tight, background: diverging(num(layer.slope)), color: Math.abs(num(layer.slope)) > 0.7 ? "#fff" : "inherit" }}><${Num} at=${`layers[${i}].slope`} digits=3 /></td>
      <td style=${tight} class=${i === shows.layers.length - 1 ? "lit" : ""}><${Num} at=${`layers[${i}].left`} digits=3 /></td>
      <td style=${{ padding: 0 }}><span style=${{ display: "block", height: "10px", borderRadius: "5px", width: `${100 * whole(layer.left)}%`, minWidth: "1px", background: Math.abs(num(layer.left)) > 1.000001 ? "var(--orange)" : "var(--accent)" }}></span></td>
    </tr>`)}</tbody>
  </table></div>`;
}

function Shares({ shows, t, act }) {
  const broken = shows.plain.some((v) => !Number.isFinite(num(v)));
  const cell = { font: "13px/1.3 var(--sans)", textAlign: "right" };
  const most = largest(shows.slopes);
  return html`<div style=${{ display: "grid", gridTemplateColumns: "auto minmax(44px, 1fr) auto minmax(70px, 1.2fr) auto", gap: "8px 10px", alignItems: "center", font: "13px/1.3 var(--sans)" }}>
      ${["right", "score", "", "share", "slope"].map((h) => html`<span key=${h} style=${{ color: "var(--soft)", textAlign: h === "slope" ? "right" : "left" }}>${h && t(h)}</span>`)}
      ${shows.names.map((name, i) => html`
        <label style=${{ display: "flex", gap: "6px", alignItems: "center", cursor: "pointer", whiteSpace: "nowrap" }}><input type="radio" name="right" data-aim=${i} checked=${i === shows.target} onChange=${() => act("aim", { index: i })} style=${{ accentColor: "var(--accent)", margin: 0 }} />${name}</label>
        <input type="range" data-score=${i} min="-5" max="5" step="0.1" value=${shows.scores[i]} aria-label=${`${t("score")}: ${name}`} style=${{ width: "100%", minWidth: 0, accentColor: "var(--accent)", margin: 0 }}
          onInput=${(e) => act("score", { index: i, value: Number(e.target.value), drag: `${i}` })} />
        <span style=${cell}><${Num} at=${`scores[${i}]`} digits=1 /></span>
        <span style=${{ display: "flex", alignItems: "center", gap: "6px", minWidth: 0 }}>
          <span style=${{ flex: 1, minWidth: 0, height: "14px", borderRadius: "4px", background: "#f0ece3" }}><span style=${{ display: "block", height: "100%", borderRadius: "4px", width: `${100 * num(shows.share[i])}%`, background: i === shows.target ? "var(--accent)" : "#9a958c" }}></span></span>
          <span style=${cell}><${Num} at=${`share[${i}]`} digits=3 /></span>
        </span>
        <span style=${{ ...cell, background: diverging(num(shows.slopes[i]) / most / 1.6), borderRadius: "5px", padding: "3px 7px" }}><${Num} at=${`slopes[${i}]`} digits=3 sign /></span>`)}
    </div>
    <p style=${{ font: "13px/1.6 var(--sans)", color: broken ? "#8c2d04" : "var(--soft)", margin: "10px 0 0" }}>
      ${t("exp(score) / sum, as it stands")}: ${shows.plain.map((_, i) => html`<${Num} key=${i} at=${`plain[${i}]`} digits=3 /> `)} · ${t("loss")} <${Num} at="loss" digits=3 />
    </p>`;
}
