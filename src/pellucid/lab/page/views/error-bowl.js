// Chapter 4: the error bowl with its tangent, the path of the weight, and what the next step will do.
import { Card, Columns, Controls, html, Num, num, Plot, Say, view } from "../kit/index.js";

export default view(({ shows, t, act, value }) => {
  const slope = value("way") === "slope";
  return html`<${Columns}>
    <div><${Card} title=${t("the error bowl")} note=${t("drag the weight")}>
      <${Plot} curves=${[{ ...shows.bowl, colour: "#cfc8ba", width: 3 }]} x=${t("weight")} y=${t("error")} height=320 width=560 ys=${ceiling(shows)}
          drag=${(weight) => act("drag", { weight: Number(weight.toPrecision(4)), drag: true })} label=${t("the error bowl")}>
        ${(scales) => html`<${Ball} shows=${shows} slope=${slope} ...${scales} />`}
      <//>
      <${Controls} settings=${slope ? ["way", "alpha", "input"] : ["way", "size", "input"]} />
      <${Say} />
    <//></div>
    <div>
      <${Card} title=${t("this step, in numbers")}>
        <${Line} code="prediction = input * weight" at="prediction" />
        <${Line} code="error = (prediction - goal) ** 2" at="error" />
        ${slope
          ? html`<${Line} code="delta = prediction - goal" at="delta" sign />
              <${Line} code="weight_delta = delta * input" at="weight_delta" sign />
              <${Line} code="weight -= alpha * weight_delta" at="step" sign now />`
          : html`<${Line} code="up = error of weight + size" at="error_up" digits=6 now=${num(shows.error_up) < num(shows.error_down)} />
              <${Line} code="down = error of weight - size" at="error_down" digits=6 now=${num(shows.error_down) < num(shows.error_up)} />`}
        <p class="pv-line"><span>weight</span><b><${Num} at="weight" digits=4 /></b></p>
      <//>
      <${Card} title=${t("error at each step")} note=${t("powers of ten")}>
        <${Plot} curves=${[{ x: shows.errors.map((_, i) => i), y: shows.errors, dots: shows.errors.length < 40 }]} x=${t("steps")} log height=200 width=460 label=${t("error at each step")} />
      <//>
    </div>
  <//>`;
});

function ceiling(shows) {
  const top = Math.max(...shows.bowl.y.map(num));
  return [-0.04 * top, top];
}

function Line({ code, at, digits = 4, sign, now }) {
  return html`<div class=${`pv-line${now ? " now" : ""}`}><span>${code}</span><b><${Num} at=${at} digits=${digits} sign=${sign} /></b></div>`;
}

/** The weight on the bowl, its tangent, and the way it came. */
function Ball({ shows, slope, sx, sy }) {
  const [left, right] = sx.domain();
  const inside = (w) => Number.isFinite(w) && w >= left && w <= right;
  const at = num(shows.weight);
  const way = shows.path.x.map((w, i) => [num(w), num(shows.path.y[i])]).filter(([w]) => inside(w));
  const reach = (right - left) / 5;
  const tangent = (w) => num(shows.error) + num(shows.slope) * (w - at);
  const ends = within([at - reach, at + reach], sy.domain(), (e) => at + (e - num(shows.error)) / num(shows.slope));
  return html`<g>
    <line x1=${sx(num(shows.bottom))} x2=${sx(num(shows.bottom))} y1=${sy(0) - 5} y2=${sy(0) + 5} stroke="#6f6b64" stroke-width="2" />
    ${way.slice(1).map(([w, e], i) => html`<path key=${i} d=${arc(sx(way[i][0]), sy(way[i][1]), sx(w), sy(e))} fill="none" stroke="#d95f0e" stroke-width="1.5" opacity=${0.25 + (0.75 * (i + 1)) / way.length} />`)}
    ${way.map(([w, e], i) => html`<circle key=${i} cx=${sx(w)} cy=${sy(e)} r="3" fill="#d95f0e" opacity=${0.3 + (0.7 * (i + 1)) / way.length} />`)}
    ${inside(at) && slope && html`<line x1=${sx(ends[0])} y1=${sy(tangent(ends[0]))} x2=${sx(ends[1])} y2=${sy(tangent(ends[1]))} stroke="#0b6e75" stroke-width="2" />`}
    ${inside(at) && html`<circle cx=${sx(at)} cy=${sy(num(shows.error))} r="8" fill="#0b6e75" stroke="#fffefb" stroke-width="2" />`}
  </g>`;
}

/** The part of a tangent that stays between the edges of the plot; `back` finds the weight of a height. */
function within([from, to], edges, back) {
  const [a, b] = edges.map(back).sort((x, y) => x - y);
  return Number.isFinite(a) && Number.isFinite(b) ? [Math.max(from, a), Math.min(to, b)] : [from, to];
}

function arc(x1, y1, x2, y2) {
  const lift = Math.min(26, Math.abs(x2 - x1) * 0.3);
  return `M${x1},${y1} Q${(x1 + x2) / 2},${Math.min(y1, y2) - lift} ${x2},${y2}`;
}
