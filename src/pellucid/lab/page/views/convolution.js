// Chapter 10: the window on the image, its nine products, the map they go into, and pooling.
import { array, Card, Columns, Controls, diverging, Draw, html, inkOn, largest, num, Num, Say, Setting, useState, view } from "../kit/index.js";
import { Field, Outline } from "../kit/field.js";

const SIDE = 3;
const small = { font: "13px/1.5 var(--sans)", color: "var(--soft)", margin: "5px 0 0" };

export default view((here) => {
  const { shows, t, act } = here;
  return html`<${Columns}>
    <div>
      <${Card} title=${t("the window slides")} note=${t("drag the window")}>
        <${Maps} ...${here} />
        <${Products} ...${here} />
        <${Controls} settings=${["stride", "rim", "relu"]}>
          <button data-do="row" disabled=${!here.state.can.step} onClick=${() => act("row")}>${t("to the end of the row")}</button>
          <button data-do="everywhere" disabled=${shows.met >= shows.places} onClick=${() => act("everywhere")}>${t("everywhere")}</button>
          <button data-do="begin_again" onClick=${() => act("begin_again")}>${t("from the first place")}</button>
        <//>
        <div class="pv-bar"><span style=${{ color: "var(--soft)" }}>${t("pooling")}</span><${Setting} name="pooling" /></div>
        <${Say} />
      <//>
    </div>
    <div>
      <${Card} title=${t("paint the kernel")} note=${t("choose a brush, or type")}><${Kernel} ...${here} /><//>
      <${Card} title=${t("the image")} note=${caption(shows, t)}>
        <div style=${{ display: "flex", gap: "16px", alignItems: "center" }}>
          <${Draw} side=${shows.side} size=${170} value=${shows.ink} label=${t("draw here")} done=${(pixels) => act("draw", { pixels })} />
          <div class="pv-bar" style=${{ flex: "1 1 110px", flexDirection: "column", alignItems: "flex-start", margin: 0 }}>
            <p style=${{ ...small, margin: 0 }}>${t("how to draw")}</p>
            <button data-do="clear" onClick=${() => act("clear")}>${t("empty page")}</button>
            <button data-do="choose" onClick=${() => act("choose", { image: shows.chosen + 1 })}>${t("next image")} ▶</button>
            <span style=${{ display: "flex", gap: "6px", alignItems: "center", color: "var(--soft)", flexWrap: "wrap" }}>
              <button data-do="push-left" aria-label="←" onClick=${() => act("push", { columns: -1 })}>◀</button>
              <button data-do="push" aria-label="→" onClick=${() => act("push", { columns: 1 })}>▶</button>
              ${t("push it aside")} <b class="num" style=${{ color: "var(--ink)" }}><${Num} at="aside" digits=0 sign /></b></span>
          </div>
        </div>
        ${shows.stand_in && html`<p style=${small}>${t("8 × 8 digits stand in for MNIST")}</p>`}
      <//>
    </div>
  <//>`;
});

const fill = (text, ...values) => values.reduce((told, value) => told.replace("#", value), text);
const caption = (shows, t) => (shows.drawn ? t("your drawing") : fill(t("digit #"), shows.chosen + 1, shows.label));

/** Image, map and what pooling leaves, in their true proportions. */
function Maps({ shows, t, act }) {
  const wide = (of) => array(of).shape[1];
  const across = wide(shows.map);
  const panel = (of, title, options, children) => html`<figure style=${{ margin: 0, flex: `${wide(of)} 1 0`, minWidth: 0 }}>
    <${Field} of=${of} size=${Math.round((250 / shows.side) * wide(of))} label=${title} ...${options}>${children}<//>
    <figcaption style=${small}>${title} <span class="num">${array(of).shape.join(" × ")}</span></figcaption>
  </figure>`;
  const [done, left] = [Math.floor(shows.met / across), shows.met % across];
  const hidden = { fill: "#f0ece3", opacity: 0.94 };
  const to = (row, column) => act("place", { row, column, drag: true });
  const over = (row, column) => act("over", { row, column, drag: true });
  const pool = shows.pool;
  const rows = Math.floor(done / pool) + (left || done % pool ? 1 : 0);
  return html`<div style=${{ display: "flex", gap: "14px", alignItems: "flex-start", justifyContent: "center" }}>
    ${panel(shows.image, t("image"), { drag: over }, html`<${Outline} row=${shows.window[0]} column=${shows.window[1]} high=${SIDE} wide=${SIDE} />`)}
    ${panel(shows.map, t("map"), { signed: true, drag: to, most: shows.most || 1 }, html`
      <rect x=${left} y=${done} width=${Math.max(0, across - left)} height=${done < array(shows.map).shape[0] ? 1 : 0} style=${hidden} />
      <rect x="0" y=${done + 1} width=${across} height=${Math.max(0, array(shows.map).shape[0] - done - 1)} style=${hidden} />
      <${Outline} row=${shows.row} column=${shows.column} />
      ${pool > 1 && html`<${Outline} row=${shows.pooled_at[0] * pool} column=${shows.pooled_at[1] * pool} high=${pool} wide=${pool} colour="#8c5a9e" />`}`)}
    ${pool > 1 && panel(shows.small, t("pooled"), { signed: true, most: shows.most || 1 }, html`
      <rect x="0" y=${rows} width=${wide(shows.small)} height=${Math.max(0, array(shows.small).shape[0] - rows)} style=${hidden} />
      <${Outline} row=${shows.pooled_at[0]} column=${shows.pooled_at[1]} colour="#8c5a9e" />`)}
  </div>`;
}

/** Nine pixels times nine weights, and their sum. */
function Products({ shows, t, value }) {
  const sign = (s) => html`<span style=${{ font: "17px var(--sans)", color: "var(--soft)", alignSelf: "center" }}>${s}</span>`;
  const heavy = largest(shows.kernel);
  const said = { max: "the largest of", average: "the average of" }[value("pooling")];
  return html`<div style=${{ display: "flex", gap: "6px", marginTop: "16px" }}>
      <${Nine} at="patch" title=${t("patch")} of=${shows.patch} grey />
      ${sign("×")}<${Nine} at="kernel" title=${t("weights")} of=${shows.kernel} most=${heavy} />
      ${sign("=")}<${Nine} at="products" title=${t("products")} of=${shows.products} most=${heavy} />
    </div>
    <p class="num" style=${{ font: "16px/1.6 var(--sans)", textAlign: "center", margin: "10px 0 0" }}>
      ${t("score")} <b style=${{ color: "var(--accent)" }}><${Num} at="score" digits=3 /></b>
      ${value("relu") && html` · ${t("after relu")} <b><${Num} at="after" digits=3 /></b>`}
    </p>
    ${shows.pool > 1 && html`<p class="num" style=${{ ...small, textAlign: "center", minHeight: "1.5em" }}>
      ${t("pooled")} <b style=${{ color: "#8c5a9e" }}><${Num} at="pooled" digits=3 /></b>: ${t(said)}
      ${shows.under.map((row, i) => row.map((_, j) => html`${i + j ? ", " : " "}<${Num} key=${`${i}${j}`} at=${`under[${i}][${j}]`} digits=3 />`))}</p>`}`;
}

function Nine({ at, title, of, most = 1, grey }) {
  const look = (v) => {
    const share = Math.max(-1, Math.min(1, num(v) / most));
    if (!grey) return { background: diverging(share), color: inkOn(share) };
    const shade = Math.round(250 - 220 * Math.max(0, share));
    return { background: `rgb(${shade},${shade},${shade})`, color: shade < 130 ? "#fff" : "#1c1e22" };
  };
  return html`<div style=${{ flex: "1 1 0", minWidth: 0 }}>
    <div style=${{ display: "grid", gridTemplateColumns: "repeat(3, minmax(0, 1fr))", gap: "2px" }}>
      ${of.map((row, i) => row.map((v, j) => html`<span key=${`${i}${j}`} style=${{ ...look(v), borderRadius: "5px", padding: "7px 0", textAlign: "center", font: "12px/1.2 var(--sans)", fontSize: "clamp(9.5px, 2.5cqw, 12px)", overflow: "hidden" }}><${Num} at=${`${at}[${i}][${j}]`} /></span>`))}
    </div>
    <p style=${{ ...small, textAlign: "center" }}>${title}</p>
  </div>`;
}

function Kernel({ shows, t, act, state }) {
  const [brush, take] = useState(null);
  const heavy = largest(shows.kernel);
  const set = (row, column, v) => act("weight", { row, column, value: v });
  const paint = (row, column) => (event) => {
    if (brush === null || (event.type === "pointerenter" && !event.buttons)) return;
    event.preventDefault();
    event.target.releasePointerCapture?.(event.pointerId);
    set(row, column, brush);
  };
  const type = (row, column) => (event) => {
    const wanted = Number(event.target.value.replace("−", "-").replace(",", "."));
    if (event.target.value.trim() && Number.isFinite(wanted)) set(row, column, wanted);
  };
  const kernels = state.settings.find((s) => s.name === "kernel");
  return html`<div class="pv-bar" role="radiogroup" aria-label=${t("kernel")} style=${{ margin: 0, gap: "6px" }}>
      ${kernels.choices.map((c) => html`<button role="radio" key=${c.value} data-set="kernel" data-value=${c.value} aria-checked=${c.value === kernels.value} onClick=${() => act("set", { name: "kernel", value: c.value })}
        style=${c.value === kernels.value ? { background: "var(--tint)", color: "var(--accent)", fontWeight: 600, padding: "7px 12px" } : { padding: "7px 12px" }}>${c.label}</button>`)}
    </div>
    <div style=${{ display: "flex", gap: "18px", alignItems: "center", marginTop: "12px", flexWrap: "wrap" }}>
      <div style=${{ display: "grid", gridTemplateColumns: "repeat(3, 58px)", gap: "4px", touchAction: "none" }}>
        ${shows.kernel.map((row, i) => row.map((v, j) => {
          const share = num(v) / heavy;
          return html`<input key=${`${i}${j}`} class="num" data-weight=${`${i}${j}`} data-at=${`kernel[${i}][${j}]`} data-digits="6" readonly=${brush !== null} inputmode=${brush === null ? "decimal" : "none"}
            value=${String(v).replace("-", "−")} onPointerDown=${paint(i, j)} onPointerEnter=${paint(i, j)} onChange=${type(i, j)} onFocus=${(e) => brush === null && e.target.select()}
            style=${{ height: "50px", width: "58px", border: 0, borderRadius: "8px", textAlign: "center", font: "15px var(--sans)", boxSizing: "border-box", minWidth: 0, background: diverging(share), color: inkOn(share), cursor: brush === null ? "text" : "crosshair" }} />`;
        }))}
      </div>
      <div style=${{ flex: "1 1 150px" }}>
        <span class="pv-bar" style=${{ margin: 0 }}><span class="pv-choice" role="radiogroup" aria-label=${t("brush")}>
          ${[null, -1, 0, 1].map((v) => html`<button key=${v} role="radio" data-brush=${String(v)} aria-checked=${v === brush} onClick=${() => take(v)}>${v === null ? t("type") : String(v).replace("-", "−")}</button>`)}
        </span></span>
        <p style=${{ ...small, marginTop: "10px" }}><b class="num" style=${{ color: "var(--ink)" }}>9</b> ${t("weights, used again at every place")} <b style=${{ color: "var(--ink)" }}><${Num} at="places" digits=0 /></b> ${t("places")}${t("a dense layer to as many units would have")} <b style=${{ color: "var(--ink)" }}><${Num} at="dense" digits=0 /></b> ${t("weights of its own")}</p>
      </div>
    </div>`;
}
