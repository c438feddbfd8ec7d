// Chapter 3: inputs times weights, one product at a time.
import { Card, Columns, Controls, diverging, html, inkOn, largest, Mark, num, Num, Say, useView, view } from "../kit/index.js";

export default view(({ shows, t, act }) => {
  const most = largest(shows.products);
  const edit = (which) => (index) => (event) => {
    const value = Number(event.target.value.replace("−", "-").replace(",", "."));
    if (event.target.value.trim() && Number.isFinite(value)) act("edit", { which, index, value });
  };
  return html`<${Columns}><div><${Card} title=${t("the weighted sum")} note="(3,) @ (3,) → 1">
    <div class="pv-scroll"><table class="pv-matrix">
      <thead><tr><th></th><th>${t("inputs")}</th><th></th><th>${t("weights")}</th><th></th><th>${t("products")}</th><th></th><th>${t("sums")}</th></tr></thead>
      <tbody>${shows.names.map((name, i) => {
        const met = i < shows.added;
        const faint = { opacity: met ? 1 : 0.28, transition: "opacity .25s" };
        return html`<tr key=${name}>
          <th scope="row">${name}</th>
          <td style=${{ background: "#fff" }}><${Typed} at=${`inputs[${i}]`} change=${edit("inputs")(i)} /></td>
          <th>×</th>
          <td style=${{ background: diverging(shows.weights[i]), color: inkOn(shows.weights[i]) }}><${Typed} at=${`weights[${i}]`} change=${edit("weights")(i)} /></td>
          <th>=</th>
          <td style=${met ? { background: diverging(shows.products[i] / most), color: inkOn(shows.products[i] / most), transition: "background .25s" } : faint}><${Num} at=${`products[${i}]`} digits=3 /></td>
          <th style=${faint}>${i ? "+" : ""}</th>
          <td style=${{ ...faint, fontWeight: i === shows.added - 1 ? 600 : 400 }}><${Num} at=${`sums[${i}]`} digits=3 /></td>
        </tr>`;
      })}</tbody>
      <tfoot><tr><th scope="row">${t("prediction")}</th><th colspan="6"></th><td style=${{ opacity: shows.added === 3 ? 1 : 0.28, boxShadow: shows.added === 3 ? "0 0 0 2px var(--accent)" : "none", fontWeight: 600 }}><${Num} at="prediction" digits=3 /></td></tr></tfoot>
    </table></div>
    <${Controls} />
    <${Say} />
  <//></div><div>
    <${Card} title=${t("who speaks for it, who against")}><${Bars} shows=${shows} t=${t} /><//>
  </div><//>`;
});

/** The products laid end to end from zero: where the last one ends is the prediction. */
function Bars({ shows, t }) {
  const sums = shows.sums.map(num);
  const most = Math.max(largest(shows.sums), largest(shows.products));
  const at = (v) => 230 + (190 * v) / most;
  const ink = (i) => ({ opacity: i < shows.added ? 1 : 0.18, transition: "opacity .25s" });
  return html`<svg viewBox="0 0 460 214" role="img" aria-label=${t("who speaks for it, who against")}>
    <line x1=${at(0)} x2=${at(0)} y1="8" y2="190" stroke="#d9d3c7" />
    ${shows.products.map((p, i) => {
      const [from, to] = [i ? sums[i - 1] : 0, sums[i]];
      const y = 18 + 46 * i;
      return html`<g key=${i} style=${ink(i)}>
        <rect x=${Math.min(at(from), at(to))} width=${Math.max(1.5, Math.abs(at(to) - at(from)))} y=${y} height="26" rx="5" fill=${diverging(num(p) < 0 ? -0.8 : num(p) > 0 ? 0.8 : 0)} stroke="#1c1e22" stroke-opacity=".12" />
        <text class="soft" x="0" y=${y + 18}>${shows.names[i]}</text>
        ${i < 2 && html`<line x1=${at(to)} x2=${at(to)} y1=${y + 26} y2=${y + 46} stroke="#6f6b64" stroke-dasharray="3 3" />`}
      </g>`;
    })}
    <g style=${{ opacity: shows.added === 3 ? 1 : 0.18 }}><path d=${`M${at(sums[2])},140 v26`} stroke="#0b6e75" stroke-width="2" /><circle cx=${at(sums[2])} cy="168" r="4" fill="#0b6e75" />
      <${Mark} class="accent num" at="prediction" digits=3 x=${at(sums[2])} y="190" text-anchor="middle" /></g>
  </svg>`;
}

function Typed({ at, change }) {
  const value = useView().at(at);
  return html`<input class="num" data-at=${at} data-digits="6" value=${String(value).replace("-", "−")} inputmode="decimal" onFocus=${(e) => e.target.select()} onChange=${change} />`;
}
