// Any chapter: the step as a program; point at a line and see its numbers and what the engine ran there.
import { Card, Columns, Controls, html, Matrix, Num, Plot, Say, useState, view } from "../kit/index.js";

export default view(({ shows, t }) => {
  const [pointed, point] = useState(null);
  const at = pointed ?? shows.at;
  return html`<${Columns}>
    <div>
      <${Card} title=${t("the step, written down")} note=${t("point at a line")}>
        <${Program} shows=${shows} t=${t} point=${point} about=${shows.lines[at]?.about} />
        <${Controls} settings=${["network", "lr", "bend"]} />
        <${Say} />
      <//>
      <${Card} title=${t("loss of each pass")} note=${t("pass #").replace("#", shows.pass)}>
        <${Plot} height=160 width=460 x=${t("pass")} label=${t("loss of each pass")} curves=${[{ x: shows.losses.map((_, i) => i + 1), y: shows.losses, dots: shows.losses.length < 40 }]} />
      <//>
    </div>
    <div>
      ${at < 0
        ? html`<${Card} title=${t("what is there at the start")}>${Object.keys(shows.given).map((name) => html`<${Numbers} key=${name} name=${`${name}  ·  ${t(shows.kinds[name])}`} value=${shows.given[name]} at=${`given.${name}`} />`)}<//>`
        : html`<${Closer} key=${at} line=${shows.lines[at]} i=${at} said=${at === shows.at} t=${t} />`}
    </div>
  <//>`;
});

/** The lines with a heading before each part; those about the same quantity as the one at hand are lit. */
function Program({ shows, t, point, about }) {
  let part = "";
  return html`<div onPointerLeave=${() => point(null)}>
    ${shows.lines.map((line, i) => {
      const heading = line.part === part ? "" : html`<div class="pv-line comment"><span># ${t(line.part)}</span></div>`;
      part = line.part;
      const lit = about && line.about === about && line.state !== "now";
      return html`${heading}<div key=${i} class=${`pv-line ${line.state}`} style=${lit ? { background: "#f3efe6" } : {}} data-line=${i} onPointerEnter=${() => point(i)}><span>${line.code}</span></div>`;
    })}
  </div>`;
}

function Closer({ line, i, said, t }) {
  return html`<${Card} title=${t(line.part)} note=${line.engine.length ? `${t("the engine ran")} ${line.engine.join(", ")}` : t("written by the rule of a slope")}>
    <div class="pv-line now"><span>${line.code}</span></div>
    <p style=${{ margin: "10px 2px 14px", fontSize: "15px" }}>${said ? "" : line.say}</p>
    ${Object.entries(line.made).map(([name, value]) => html`<${Numbers} key=${name} name=${`${t("made")}  ${name}`} value=${value} at=${`lines[${i}].made.${name}`} />`)}
    ${Object.entries(line.reads).map(([name, value]) => html`<${Numbers} key=${name} name=${`${t("from")}  ${name}`} value=${value} at=${`lines[${i}].reads.${name}`} />`)}
  <//>`;
}

function Numbers({ name, value, at }) {
  return html`<div style=${{ marginBottom: "10px" }}>
    <h4 style=${{ margin: "0 0 2px", font: "500 12.5px var(--mono)", color: "var(--soft)" }}>${name}</h4>
    ${typeof value === "string" ? html`<span>${value}</span>` : Array.isArray(value) ? html`<${Matrix} at=${at} />` : html`<b><${Num} at=${at} digits=4 /></b>`}
  </div>`;
}
