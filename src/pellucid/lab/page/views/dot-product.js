// Chapter 3: inputs times weights, one product at a time.
import { Card, Controls, diverging, html, inkOn, largest, Num, Say, useView, view } from "../kit/index.js";

export default view(({ shows, t, act }) => {
  const most = largest(shows.products);
  const edit = (which) => (index) => (event) => {
    const value = Number(event.target.value.replace("−", "-").replace(",", "."));
    if (event.target.value.trim() && Number.isFinite(value)) act("edit", { which, index, value });
  };
  return html`<${Card} wide title=${t("the weighted sum")} note="(3,) @ (3,) → 1">
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
          <td style=${{ ...faint, background: diverging(shows.products[i] / most), color: inkOn(shows.products[i] / most) }}><${Num} at=${`products[${i}]`} digits=3 /></td>
          <th style=${faint}>${i ? "+" : ""}</th>
          <td style=${{ ...faint, fontWeight: i === shows.added - 1 ? 600 : 400 }}><${Num} at=${`sums[${i}]`} digits=3 /></td>
        </tr>`;
      })}</tbody>
      <tfoot><tr><th scope="row">${t("prediction")}</th><th colspan="6"></th><td style=${{ opacity: shows.added === 3 ? 1 : 0.28, boxShadow: shows.added === 3 ? "0 0 0 2px var(--accent)" : "none", fontWeight: 600 }}><${Num} at="prediction" digits=3 /></td></tr></tfoot>
    </table></div>
    <${Controls} />
    <${Say} />
  <//>`;
});

function Typed({ at, change }) {
  const value = useView().at(at);
  return html`<input class="num" data-at=${at} data-digits="6" value=${String(value).replace("-", "−")} inputmode="decimal" onFocus=${(e) => e.target.select()} onChange=${change} />`;
}
