// Chapter 5: ten rows of weights as images; one of them laid over a digit; the training, to be scrubbed through.
import { array, Card, Columns, Controls, diverging, Draw, fmt, html, inkOn, largest, num, Num, Pixels, Plot, Say, signed, useState, view } from "../kit/index.js";
import { Field, Outline } from "../kit/field.js";
import { Key } from "../kit/key.js";

export default view((here) => {
  const { shows, t, act } = here;
  const [pixel, point] = useState(null);
  return html`<${Columns}>
    <div>
      <${Card} title=${t("image × weights of #").replace("#", shows.digit)} note=${caption(shows, t)}>
        <${Product} ...${here} pixel=${pixel} point=${point} />
        <${Controls} />
        <${Say} />
      <//>
      <${Card} title=${t("moment of the training")} note=${t("drag through the training")}><${Training} ...${here} /><//>
    </div>
    <div>
      <${Card} title=${t("the weights of each digit, and its sum")} note=${t("click one to look closer")}><${Ten} ...${here} /><//>
      <${Card} title=${t("draw a digit")}>
        <div style=${{ display: "flex", gap: "16px", alignItems: "center" }}>
          <${Draw} side=${shows.side} value=${shows.ink} label=${t("draw here")} done=${(pixels) => act("draw", { pixels })} />
          <div class="pv-bar" style=${{ flex: "1 1 110px", flexDirection: "column", alignItems: "flex-start", margin: 0 }}>
            <p style=${{ ...small, margin: 0, maxWidth: "15em" }}>${t("how to draw")}</p>
            <button data-do="clear" onClick=${() => act("clear")}>${t("empty page")}</button>
            <button data-do="next" onClick=${() => act("choose", { image: shows.chosen + 1 })}>${t("next image")} ▶</button>
          </div>
        </div>
        ${shows.stand_in && html`<p style=${small}>${t("8 × 8 digits stand in for MNIST")}</p>`}
      <//>
    </div>
  <//>`;
});

const small = { font: "13px/1.5 var(--sans)", color: "var(--soft)", margin: "8px 0 0" };

const caption = (shows, t) =>
  shows.drawn ? t("your drawing") : ["chosen", "label"].reduce((told, key) => told.replace("#", key === "chosen" ? shows.chosen + 1 : shows[key]), t("test image #: a #"));

/** Image, weights and products, pixel over pixel, and what they add up to. */
function Product({ shows, t, pixel, point }) {
  const weights = slice(shows.weights, shows.digit);
  const panel = (of, title, options = {}) => html`<figure style=${{ margin: 0, flex: "1 1 0", minWidth: 0, textAlign: "center" }}>
    <${Field} of=${of} over=${(row, column) => point(row === null ? null : [row, column])} label=${title} size=${200} ...${options}>
      ${pixel && html`<${Outline} row=${pixel[0]} column=${pixel[1]} />`}
    <//>
    <figcaption style=${{ ...small, margin: "5px 0 0" }}>${title}</figcaption>
  </figure>`;
  const sign = (s) => html`<span style=${{ font: "22px var(--sans)", color: "var(--soft)", alignSelf: "center", paddingBottom: "24px" }}>${s}</span>`;
  return html`<div style=${{ display: "flex", gap: "10px", justifyContent: "center" }}>
      ${panel(shows.image, t("image"))}${sign("×")}
      ${panel(weights, t("weights of #").replace("#", shows.digit), { signed: true })}${sign("=")}
      ${panel(shows.product, t("pixel by pixel"), { signed: true, most: largest([...array(shows.product).data]) })}
    </div>
    <p style=${{ ...small, minHeight: "1.5em", textAlign: "center" }}>${pixel ? told(shows, weights, pixel, t) : `${t("point at a pixel")}${t("blue: against · orange: for")}`}</p>
    <p class="num" style=${{ font: "16px/1.6 var(--sans)", textAlign: "center", margin: "6px 0 0" }}>
      ${t("speaks for it")} <b style=${{ color: "var(--orange)" }}><${Num} at="for" digits=3 /></b>
      ${" "}· ${t("speaks against it")} <b style=${{ color: "var(--blue)" }}><${Num} at="against" digits=3 /></b>
      ${" "}· ${t("sum")} <b><${Num} at="score" digits=3 /></b>
    </p>`;
}

function told(shows, weights, [row, column], t) {
  const at = row * array(weights).shape[1] + column;
  const [ink, weight, product] = [shows.image, weights, shows.product].map((of) => array(of).data[at]);
  return html`<span class="num">${t("pixel")} (${row}, ${column}): ${fmt(ink, 3)} × ${fmt(weight, 4)} = <b>${signed(product, 4)}</b></span>`;
}

/** One image of several. */
function slice(of, n) {
  const { shape, data } = array(of);
  const size = shape[1] * shape[2];
  return { shape: shape.slice(1), data: data.slice(n * size, (n + 1) * size) };
}

function Ten({ shows, t, act }) {
  const most = largest(shows.scores);
  const full = largest([...array(shows.weights).data]);
  return html`<div style=${{ display: "grid", gridTemplateColumns: "repeat(5, minmax(0, 1fr))", gap: "8px" }}>
    ${shows.scores.map((score, d) => {
      const [on, best] = [d === shows.digit, d === shows.best];
      return html`<button key=${d} data-do="look" data-digit=${d} aria-pressed=${on} onClick=${() => act("look", { digit: d })}
          style=${{ font: "inherit", textAlign: "center", padding: "6px 2px", background: "none", cursor: "pointer", borderRadius: "10px", minWidth: 0, border: `2px solid ${on ? "var(--accent)" : "transparent"}` }}>
        <span style=${{ display: "grid", justifyItems: "center" }}><${Pixels} of=${slice(shows.weights, d)} signed most=${full} size=${92} label=${t("weights of #").replace("#", d)} /></span>
        <span style=${{ display: "flex", flexWrap: "wrap", justifyContent: "center", alignItems: "center", gap: "2px 8px", font: "13px/1.3 var(--sans)", marginTop: "5px" }}>
          <b>${d}</b>
          <span style=${{ background: diverging(num(score) / most), color: inkOn(num(score) / most), borderRadius: "5px", padding: "2px 5px", fontWeight: best ? 700 : 400 }}><${Num} at=${`scores[${d}]`} digits=3 /></span>
        </span>
      </button>`;
    })}
  </div>
  <div class="pv-bar"><button data-do="follow" disabled=${shows.followed} onClick=${() => act("follow")}>${t("follow the largest")}</button></div>`;
}

function Training({ shows, t, act }) {
  const scrub = (at) => act("scrub", { at, drag: true });
  const nearest = (images) => shows.stops.reduce((best, stop, i) => (Math.abs(stop - images) < Math.abs(shows.stops[best] - images) ? i : best), 0);
  const last = shows.stops.at(-1);
  const curves = [
    { ...shows.errors, label: t("error per image"), colour: "#d95f0e" },
    { ...shows.rights, label: t("of 500 new images read right"), colour: "#0b6e75" },
  ];
  const high = Math.min(3, Math.max(1.05, ...shows.errors.y.map(num).filter(Number.isFinite)));
  const drawn = curves.map((c) => ({ x: c.x, y: c.y.map((v) => (Math.min(high, num(v)))), colour: c.colour }));
  return html`<${Key} of=${curves} />
    <${Plot} curves=${drawn} x=${t("images learned from")} xs=${[0, last]} ys=${[0, high]} height=200 width=520 drag=${(x) => scrub(nearest(x))} label=${t("moment of the training")}>
      ${({ sx, sy }) => html`<line x1=${sx(shows.learned)} x2=${sx(shows.learned)} y1=${sy(0)} y2=${sy(high)} stroke="#1c1e22" stroke-width="1.5" />
        <circle cx=${sx(shows.learned)} cy=${sy(num(shows.right))} r="6" fill="#0b6e75" stroke="#fffefb" stroke-width="2" />`}
    <//>
    <label class="pv-slider" style=${{ display: "flex", width: "100%", font: "14px var(--sans)" }}>
      <span>${t("# images learned from").split("#")[0]}<b class="num" style=${{ minWidth: 0 }}><${Num} at="learned" digits=0 /></b>${t("# images learned from").split("#")[1]}</span>
      <input type="range" data-scrub min="0" max=${shows.stops.length - 1} step="1" value=${shows.at} style=${{ flex: 1, minWidth: 0 }} onInput=${(e) => scrub(Number(e.target.value))} />
      <b class="num" style=${{ color: "var(--accent)" }}><${Num} at="right" digits=3 /></b>
    </label>`;
}
