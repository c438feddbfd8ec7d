// Chapter 6: the network as circles and lines, the blame that flows back, and the step written down.
import { Card, Columns, Controls, diverging, fmt, html, inkOn, Lines, Mark, Matrix, num, Num, Plot, Say, view } from "../kit/index.js";

const PHASES = ["start", "predict", "compare", "blame", "learn"];

export default view(({ shows, t, act, state }) => {
  const units = [1, 2, 3, 4].map((n) => t("unit #").replace("#", n));
  const place = t("pass #, light #").replace("#", shows.pass).replace("#", shows.row + 1);
  return html`<${Columns}>
    <div>
      <${Card} title=${`${place} · ${t(shows.phase)}`} note=${shows.size > 1 ? t("# of # rows collected").replace("#", shows.waiting).replace("#", shows.size) : ""}>
        <${Net} shows=${shows} t=${t} />
        <${Controls} settings=${["way", "lr", "relu"]}>
          <button data-do="whole_pass" disabled=${!state.can.step} onClick=${() => act("whole_pass")}>${t("whole pass")}</button>
          <button data-do="ten" disabled=${!state.can.step} onClick=${() => act("passes_on", { count: 10 })}>${t("ten passes")}</button>
        <//>
        <${Say} />
      <//>
      <${Card} title=${t("pressure on weights_0_1")} note=${t("from this row: what lr × blame asks for")}>
        <${Matrix} at="pressure_0_1" digits=3 arrows rows=${shows.places} columns=${units} />
      <//>
    </div>
    <div>
      <${Card} title=${t("the step, written down")}>
        <${Lines} lines=${shows.lines} at="lines" />
      <//>
      <${Card} title=${t("the four rows")} note=${t("a light that agrees with walking twice in four says nothing")}>
        <${Rows} shows=${shows} t=${t} />
      <//>
      <${Card} title=${t("error of each pass")}>
        <${Plot} curves=${[{ x: shows.errors.map((_, i) => i + 1), y: shows.errors, dots: shows.errors.length < 40 }]} x=${t("pass")} height=180 width=460 label=${t("error of each pass")} />
      <//>
    </div>
  <//>`;
});

const X = [64, 300, 540];
const Y = [[85, 180, 275], [50, 138, 226, 314], [182]];

function Net({ shows, t }) {
  const phase = PHASES.indexOf(shows.phase);
  const back = phase >= 3;
  const asleep = (j) => shows.asleep[j];
  const line = (l, i, j, w, faint) => {
    const [x1, x2] = [X[l] + 24, X[l + 1] - 25];
    return html`<path key=${`${l}${i}${j}`} class=${back && !faint ? "pv-back" : ""} d=${`M${x1},${Y[l][i]} C${x1 + 90},${Y[l][i]} ${x2 - 90},${Y[l + 1][j]} ${x2},${Y[l + 1][j]}`}
      fill="none" stroke=${diverging(num(w))} stroke-width=${1 + 3.2 * Math.min(2, Math.abs(num(w)))} opacity=${faint ? 0.22 : 1}><title>${fmt(w, 4)}</title></path>`;
  };
  return html`<svg viewBox="0 0 640 366" role="img" aria-label=${t("the network")}>
    ${shows.weights_0_1.map((row, i) => row.map((w, j) => line(0, i, j, w, asleep(j) || !shows.lights[i])))}
    ${shows.weights_1_2.map((row, j) => line(1, j, 0, row[0], asleep(j)))}
    ${shows.lights.map((on, i) => html`<g key=${i}>
      <circle cx=${X[0]} cy=${Y[0][i]} r="23" fill=${on ? "#ffd166" : "#efece5"} stroke="#1c1e22" stroke-opacity=".25" />
      <${Mark} at=${`lights[${i}]`} digits=0 x=${X[0]} y=${Y[0][i] + 5} text-anchor="middle" />
      <text class="soft" x=${X[0]} y=${Y[0][i] + 41} text-anchor="middle">${shows.places[i]}</text>
    </g>`)}
    ${shows.layer_1.map((h, j) => html`<g key=${j} opacity=${phase >= 1 ? 1 : 0.3}>
      <circle cx=${X[1]} cy=${Y[1][j]} r="24" fill=${asleep(j) ? "#faf8f4" : diverging(num(h))} stroke="#1c1e22" stroke-opacity=".25" stroke-dasharray=${asleep(j) ? "3 3" : null} />
      <${Mark} at=${`layer_1[${j}]`} x=${X[1]} y=${Y[1][j] + 5} text-anchor="middle" style=${{ fill: asleep(j) ? "#9a958c" : inkOn(num(h)) }} />
      ${asleep(j) && phase >= 1 && html`<text class="accent" x=${X[1] + 30} y=${Y[1][j] - 15}>${t("asleep")}</text>`}
      ${!asleep(j) && back && html`<text class="accent" x=${X[1] + 30} y=${Y[1][j] - 15}>δ</text><${Mark} at=${`delta_1[${j}]`} sign class="accent num" x=${X[1] + 42} y=${Y[1][j] - 15} />`}
    </g>`)}
    <g opacity=${phase >= 1 ? 1 : 0.3}>
      <circle cx=${X[2]} cy=${Y[2][0]} r="27" fill=${diverging(num(shows.layer_2))} stroke="#1c1e22" stroke-opacity=".25" />
      <${Mark} at="layer_2" x=${X[2]} y=${Y[2][0] + 5} text-anchor="middle" style=${{ fill: inkOn(num(shows.layer_2)) }} />
      <text class="soft" x=${X[2]} y=${Y[2][0] + 46} text-anchor="middle">${t("walk? wanted #").replace("#", shows.walk)}</text>
      ${phase >= 2 && html`<text class="accent" x=${X[2] + 28} y=${Y[2][0] - 18}>δ</text><${Mark} at="delta_2" sign class="accent num" x=${X[2] + 40} y=${Y[2][0] - 18} />`}
    </g>
  </svg>`;
}

function Rows({ shows, t }) {
  return html`<div class="pv-scroll"><table class="pv-matrix">
    <thead><tr>${shows.places.map((p) => html`<th>${p}</th>`)}<th></th><th>${t("walk")}</th><th>${t("says now")}</th></tr></thead>
    <tbody>${shows.rows.map((row, i) => html`<tr key=${i}>
      ${row.map((on, j) => html`<td class=${i === shows.row ? "lit" : ""} style=${{ background: on ? "#ffd166" : "#efece5" }}><${Num} at=${`rows[${i}][${j}]`} digits=0 /></td>`)}
      <th>→</th><td><${Num} at=${`walks[${i}]`} digits=0 /></td>
      <td style=${{ background: diverging(num(shows.predictions[i])), color: inkOn(num(shows.predictions[i])) }}><${Num} at=${`predictions[${i}]`} /></td>
    </tr>`)}</tbody>
    <tfoot><tr>${shows.agrees.map((_, j) => html`<td><${Num} at=${`agrees[${j}]`} digits=0 /> / 4</td>`)}<th colspan="3">${t("agrees with walking")}</th></tr></tfoot>
  </table></div>`;
}
