// Chapter 7: a network as circles and lines, as strips and boxes, as letters; linked with algebra, code and numbers.
import { array, Card, Columns, Controls, diverging, fmt, html, inkOn, largest, Mark, Matrix, num, Num, Pixels, Say, Setting, signed, useState, view } from "../kit/index.js";
import { Field, Outline } from "../kit/field.js";

const small = { font: "13px/1.5 var(--sans)", color: "var(--soft)", margin: "6px 0 0" };
const lightUp = "#fdf3d6"; // what is pointed at
const fill = (text, ...values) => values.reduce((told, value) => told.replace("#", value), text);
const times = (shape) => shape.join(" × ");

export default view((here) => {
  const { shows, t, act } = here;
  const [lit, light] = useState(null); // a step that is pointed at; -1 is the input
  const [letter, point] = useState(null); // a letter that is pointed at
  const all = { ...here, lit, light, letter, point, ...phases(shows) };
  const Level = { neurons: Neurons, layers: Boxes, letters: Letters }[shows.level];
  return html`<${Columns}>
    <div>
      <${Card} title=${t("the network")} note=${about(shows, t)}>
        <div class="pv-bar" style=${{ margin: "0 0 12px" }}><${Setting} name="network" /><${Setting} name="level" /></div>
        <${Level} ...${all} />
        ${shows.stand_in && html`<p style=${small}>${t("8 × 8 digits stand in for MNIST")}</p>`}
        <${Controls} settings=${["lr", "relu"]}>
          <button data-do="next_example" onClick=${() => act("next_example")}>${t("next example")}</button>
        <//>
        <div class="pv-bar"><span style=${{ color: "var(--soft)" }}>${t("begin with")}</span><${Setting} name="begin" /></div>
        <${Say} />
      <//>
    </div>
    <div>
      <${Card} title=${t("algebra and code")} note=${t("point at a letter")}><${Code} ...${all} /><//>
      <${Card} title=${fill(t("the numbers of #"), shows.matrix.name)} note=${times(shows.matrix.shape)}><${Numbers} ...${all} /><//>
    </div>
  <//>`;
});

/** How far the prediction has come, and the blame: of step n. */
const phases = ({ phase, depth }) => ({
  made: (n) => phase >= n,
  blamed: (n) => phase >= 2 * depth - n,
  now: phase < depth ? phase : phase === depth ? "compare" : phase > 2 * depth ? "learn" : 2 * depth - phase,
});

const about = (shows, t) =>
  shows.network === "streetlights" ? fill(t("example #: wanted #"), shows.example + 1, fmt(shows.target)) : fill(t("example #: a #"), shows.example + 1, shows.target);

// ------------------------------------------------------------------------------------ circles and lines

const [WIDE, ROW, RADIUS] = [600, 62, 22];

function Neurons({ shows, t, act, made, blamed, lit, light }) {
  const [told, tell] = useState(null);
  const depth = Math.max(...shows.columns.map((c) => c.depth));
  const tall = Math.max(...shows.columns.map((c) => c.units.length));
  const x = (c) => 62 + ((WIDE - 124) * c.depth) / Math.max(1, depth);
  const y = (c, k) => 70 + ROW * (k + (tall - c.units.length) / 2);
  const seen = (c) => c === 0 || made(c - 1);
  const most = shows.columns.map((c) => largest(c.units.filter((u) => u.at >= 0).map((u) => u.value)));
  const drawn = shows.columns.map((c) => c.units.map((u, k) => ({ ...u, k })).filter((u) => u.at >= 0));
  const switches = shows.network === "streetlights";
  return html`
    <div style=${{ display: "flex", gap: "14px", alignItems: "flex-start" }}>
      ${!switches && html`<div style=${{ flex: "none" }}><${Pixels} of=${shows.image} size=${64} label=${t("input")} /></div>`}
      <p style=${{ ...small, margin: "0 0 8px", minHeight: "3em" }}>${told ? html`<${Told} ...${told} t=${t} shows=${shows} />` : `${t("a line: blue less, orange more")}${switches ? t("click a light to switch it") : ""}`}</p>
    </div>
    <svg viewBox="0 0 ${WIDE} ${96 + ROW * tall}" role="img" aria-label=${t("the network")}>
      ${shows.columns.map((c, n) => c.lines.map((line, l) => {
        const source = shows.columns[line.from];
        const heavy = largest(line.slopes);
        return line.slopes.map((row, i) => row.map((slope, j) => {
          const size = Math.abs(num(slope)) / heavy;
          if (size < 0.004) return null;
          const [from, to] = [drawn[line.from][j], drawn[n][i]];
          const [x1, y1, x2, y2] = [x(source) + RADIUS, y(source, from.k), x(c) - RADIUS, y(c, to.k)];
          const d = `M${x1},${y1} C${(x1 + x2) / 2},${y1} ${(x1 + x2) / 2},${y2} ${x2},${y2}`;
          const at = `columns[${n}].lines[${l}]`;
          const here = told?.line === `${at}.${i}.${j}`;
          return html`<g key=${`${n}.${l}.${i}.${j}`} opacity=${lit !== null && lit !== n - 1 ? 0.25 : 1}>
            <path d=${d} fill="none" stroke=${here ? "#0b6e75" : diverging(Math.sign(num(slope)) * Math.max(0.25, size))} stroke-width=${here ? 4 : 0.7 + 3.3 * size} opacity=${seen(n) ? 0.95 : 0.35} class=${blamed(n - 1) && seen(n) ? "pv-back" : ""} />
            <path d=${d} fill="none" stroke="transparent" stroke-width="13" data-line=${`${n}.${i}.${j}`} onPointerEnter=${() => tell({ line: `${at}.${i}.${j}`, at, i, j, from, to, weight: line.weight })} onPointerLeave=${() => tell(null)} />
          </g>`;
        }));
      }))}
      ${shows.columns.map((c, n) => html`<g key=${n} onPointerEnter=${() => light(n - 1)} onPointerLeave=${() => light(null)} opacity=${lit !== null && lit !== n - 1 ? 0.45 : 1}>
        <text x=${x(c)} y="16" text-anchor="middle" style=${{ fontWeight: 600 }}>${n ? c.doing.split(", ")[0] : t("input")}</text>
        <text class="soft" x=${x(c)} y="33" text-anchor="middle">${c.doing.split(", ").slice(1).join(", ")}</text>
        ${c.units.map((u, k) => {
          if (u.at < 0) return html`<text key=${k} x=${x(c)} y=${y(c, k) + 4} text-anchor="middle" style=${{ fontSize: "20px" }}>⋮</text>`;
          const share = seen(n) ? num(u.value) / most[n] : 0;
          const silent = seen(n) && num(u.value) === 0 && /relu/.test(c.doing);
          const can = switches && n === 0;
          return html`<g key=${k} data-unit=${`${n}.${k}`} style=${can ? { cursor: "pointer" } : {}} onClick=${can && (() => act("light", { index: u.at }))}
              onPointerEnter=${() => tell({ line: "", at: `columns[${n}].units[${k}]`, unit: u, column: n, name: c.name })} onPointerLeave=${() => tell(null)}>
            <circle cx=${x(c)} cy=${y(c, k)} r=${RADIUS} fill=${can ? (u.value ? "#ffd166" : "#efece5") : silent ? "#faf8f4" : diverging(share)} stroke="#1c1e22" stroke-opacity=".25" stroke-dasharray=${silent ? "3 3" : null} />
            ${seen(n) && html`<${Mark} at=${`columns[${n}].units[${k}].value`} digits=${Math.abs(num(u.value)) >= 9.95 ? 0 : 1} x=${x(c)} y=${y(c, k) + 5} text-anchor="middle" style=${{ fill: can || silent ? "#1c1e22" : inkOn(share), pointerEvents: "none" }} />`}
            ${n === shows.columns.length - 1 && c.units.length > 1 && html`<text class="soft" x=${x(c) + RADIUS + 7} y=${y(c, k) + 4} style=${{ fontWeight: u.at === shows.target ? 700 : 400 }}>${u.at}${u.at === shows.target ? " ✓" : ""}</text>`}
            ${n > 0 && blamed(n - 1) && html`<text class="accent" x=${x(c) - RADIUS + 2} y=${y(c, k) - RADIUS - 3} text-anchor="end" style=${{ pointerEvents: "none" }}>δ</text><${Mark} at=${`columns[${n}].units[${k}].gradient`} digits=3 sign class="accent num" x=${x(c) - RADIUS + 5} y=${y(c, k) - RADIUS - 3} style=${{ pointerEvents: "none" }} />`}
          </g>`;
        })}
        <text class="soft" x=${x(c)} y=${y(c, c.units.length - 1) + 44} text-anchor="middle">${c.units.some((u) => u.at < 0) ? fill(t("# numbers, the # strongest drawn"), c.size, drawn[n].length) : fill(t("# numbers"), c.size)}</text>
      </g>`)}
    </svg>`;
}

/** What is pointed at: a line with its slope and gradient, or a unit with its value and gradient. */
function Told({ at, i, j, from, to, weight, unit, column, name, t }) {
  if (unit)
    return html`<span class="num"><b>${column ? `${name}[${unit.at}]` : `${t("input")}[${unit.at}]`}</b>: ${t("value")} <${Num} at=${`${at}.value`} digits=4 /> · ${t("gradient")} <b style=${{ color: "var(--accent)" }}><${Num} at=${`${at}.gradient`} digits=5 sign /></b></span>`;
  return html`<span class="num"><b>${weight ? `${weight}[${to.at}, ${from.at}]` : `${from.at} → ${to.at}`}</b>: ${t(weight ? "weight" : "slope")} <${Num} at=${`${at}.slopes[${i}][${j}]`} digits=4 />
    ${weight && html` · ${t("gradient")} <b style=${{ color: "var(--accent)" }}><${Num} at=${`${at}.gradients[${i}][${j}]`} digits=5 sign /></b>`}</span>`;
}

// ------------------------------------------------------------------------------------- strips and boxes

function Boxes({ shows, t, act, made, blamed, lit, light }) {
  return html`<div style=${{ display: "grid", gap: "5px" }}>
    ${shows.boxes.map((box, b) => html`
      ${b > 0 && html`<div key=${`a${b}`} style=${{ color: "var(--soft)", font: "13px/1 var(--sans)", paddingLeft: "26px" }} aria-hidden="true">↓</div>`}
      <div key=${b} data-box=${b} onPointerEnter=${() => light(box.step)} onPointerLeave=${() => light(null)}
          style=${{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: "8px 14px", border: "1px solid var(--line)", borderRadius: "10px", padding: "9px 12px", background: lit === box.step ? lightUp : box.weights.length ? "#f4f8f8" : "#fff" }}>
        <div style=${{ flex: "1 1 112px", font: "13px/1.4 var(--sans)", minWidth: 0 }}><b>${box.looks ? box.looks.split("(")[0] : t("input")}</b><br /><span class="num" style=${{ color: "var(--soft)" }}>${times(box.shape)}</span></div>
        ${box.weights.length > 0 && html`<div style=${{ display: "flex", gap: "8px", alignItems: "flex-end" }}>${box.weights.map((w) => html`<${Weights} key=${w.name} of=${w} on=${w.name === shows.matrix.name} act=${act} />`)}</div>`}
        <div style=${{ flex: "3 1 200px", minWidth: 0, opacity: box.step < 0 || made(box.step) ? 1 : 0.15 }}>
          <${Strip} at=${`boxes[${b}].numbers`} numbers=${box.numbers} picture=${box.picture} plain=${b === 0} shown=${box.step < 0 || made(box.step)} />
          ${box.step >= 0 && blamed(box.step) && html`<div style=${{ marginTop: "4px" }}><${Strip} at=${`boxes[${b}].gradients`} numbers=${box.gradients} picture=${box.slopes} shown sign /></div>`}
        </div>
      </div>`)}
  </div>`;
}

/** A box of weights: larger where there are more, by the logarithm. */
function Weights({ of, on, act }) {
  const [rows, columns] = of.shape.length > 1 ? [of.shape[0], of.shape.slice(1).reduce((a, b) => a * b, 1)] : [1, of.shape[0]];
  const side = (n) => Math.round(7 + 5 * Math.log2(Math.max(1, n)));
  return html`<button data-open=${of.name} aria-pressed=${on} title=${of.name} onClick=${() => act("open", { weight: of.name })} style=${{ border: 0, background: "none", padding: 0, cursor: "pointer", textAlign: "center", font: "11px/1.3 var(--sans)", color: "var(--soft)" }}>
    <span style=${{ display: "block", margin: "0 auto 3px", height: `${rows > 1 ? side(rows) : 8}px`, width: `${side(columns)}px`, borderRadius: "3px", background: on ? "var(--accent)" : "#cfe3e3", border: "1px solid var(--accent)" }}></span>${times(of.shape)}</button>`;
}

/** What came out, as cells or as a picture; with `sign`, the blame. */
function Strip({ at, numbers, picture, shown, sign, plain }) {
  const label = html`<b style=${{ color: "var(--accent)", width: "14px", flex: "none", font: "600 13px/1 var(--sans)" }}>${sign ? "δ" : ""}</b>`;
  if (picture) {
    const [rows, columns] = array(picture).shape;
    return html`<div style=${{ display: "flex", alignItems: "center", minWidth: 0 }}>${label}<${Pixels} of=${picture} signed=${!plain} size=${columns > 1.5 * rows ? Math.min(300, 8 * columns) : 112} /></div>`;
  }
  const most = largest(numbers);
  return html`<div style=${{ display: "flex", alignItems: "center", font: "12px/1.2 var(--sans)", minWidth: 0 }}>${label}
    <div style=${{ flex: 1, minWidth: 0, display: "grid", gridTemplateColumns: "repeat(auto-fill, minmax(54px, 1fr))", gap: "3px" }}>${numbers.map((v, i) => {
      const share = (shown ? num(v) / most : 0) * (sign ? 0.7 : 1);
      return html`<span key=${i} style=${{ textAlign: "center", padding: "5px 1px", overflow: "hidden", whiteSpace: "nowrap", fontSize: sign ? "11px" : "12px", borderRadius: "5px", background: diverging(share), color: inkOn(share), border: "1px solid #0001" }}>${shown ? html`<${Num} at=${`${at}[${i}]`} digits=${sign ? 4 : 2} sign=${sign} />` : "·"}</span>`;
    })}</div>
  </div>`;
}

// --------------------------------------------------------------------------------------------- letters

function Letters(all) {
  const { shows, t, act, made, lit, light, letter, point } = all;
  const { rows, legend } = shows.letters;
  return html`<div style=${{ display: "grid", gap: "4px" }}>
    ${rows.map((row, n) => html`<div key=${n} onPointerEnter=${() => light(n)} onPointerLeave=${() => light(null)} style=${{ padding: "8px 12px", borderRadius: "10px", background: lit === n ? lightUp : "transparent" }}>
      <${Words} ...${all} text=${row.algebra} style=${{ font: "22px/1.4 var(--serif)" }} />
      <div class="num" style=${{ ...small, margin: 0, opacity: made(n) ? 1 : 0.25 }}>${made(n) ? row.many
        ? html`<${Num} at=${`letters.rows[${n}].least`} digits=3 /> … <${Num} at=${`letters.rows[${n}].most`} digits=3 />`
        : html`= (${row.numbers.map((_, i) => html`${i ? ", " : ""}<${Num} key=${i} at=${`letters.rows[${n}].numbers[${i}]`} digits=3 />`)})` : "="} <span style=${{ float: "right" }}>${times(row.shape)}</span></div>
    </div>`)}
    <div style=${{ padding: "8px 12px" }}><${Words} ...${all} text=${shows.compare.algebra} style=${{ font: "22px/1.4 var(--serif)" }} />
      <div class="num" style=${{ ...small, margin: 0, opacity: shows.phase >= shows.depth ? 1 : 0.25 }}>= ${shows.phase >= shows.depth && html`<${Num} at="loss" digits=4 />`}</div></div>
    <h3 style=${{ margin: "10px 12px 4px" }}>${t("the letters")}</h3>
    <div style=${{ display: "flex", flexWrap: "wrap", gap: "6px", padding: "0 10px" }}>
      ${legend.map((l) => html`<button key=${l.letter} data-open=${l.name || null} disabled=${!l.name} onClick=${() => act("open", { weight: l.name })} onPointerEnter=${() => point(l.letter)} onPointerLeave=${() => point(null)}
        style=${{ border: `1px solid ${l.name === shows.matrix.name ? "var(--accent)" : "var(--line)"}`, background: letter === l.letter ? lightUp : "#fff", borderRadius: "9px", padding: "6px 11px", font: "13px/1.4 var(--sans)", color: "var(--ink)", cursor: l.name ? "pointer" : "default", textAlign: "left" }}>
        <b style=${{ font: "17px var(--serif)" }}>${l.letter}</b> ${l.name || t("input")} <span class="num" style=${{ color: "var(--soft)" }}>${times(l.shape)}</span></button>`)}
    </div>
  </div>`;
}

/** Text in which each letter of the network can be pointed at. */
function Words({ shows, text, style, letter, point, act }) {
  const { rows, legend } = shows.letters;
  const plain = (s) => s.replace(/[₀-₉]/g, (c) => String(c.codePointAt(0) - 0x2080)).replace(/'/g, "_");
  const known = [...legend, ...rows.map((r) => ({ letter: r.letter, code: plain(r.letter), name: "" }))];
  const names = new Map(known.flatMap((k) => [[k.letter, k], [k.code, k]]));
  const parts = text.split(/([A-Za-z]+[0-9₀-₉]*[_']*)/);
  return html`<span style=${style}>${parts.map((part, i) => {
    const k = names.get(part);
    if (!k) return part;
    return html`<span key=${i} onPointerEnter=${() => point(k.letter)} onPointerLeave=${() => point(null)} onClick=${k.name ? () => act("open", { weight: k.name }) : null}
      style=${{ background: letter === k.letter ? "#f9dd8e" : "transparent", borderRadius: "4px", cursor: k.name ? "pointer" : "default", color: k.name && k.name === shows.matrix.name ? "var(--accent)" : "inherit" }}>${part}</span>`;
  })}</span>`;
}

function Code(all) {
  const { shows, t, now, lit, light, made } = all;
  const line = (key, on, algebra, code, value, over = {}) => html`<div key=${key} ...${over} style=${{ padding: "5px 10px", borderRadius: "8px", background: lit === key ? lightUp : on ? "var(--tint)" : "transparent", boxShadow: on ? "inset 3px 0 var(--accent)" : "none" }}>
    <div style=${{ display: "flex", justifyContent: "space-between", gap: "10px", alignItems: "baseline" }}><${Words} ...${all} text=${algebra} style=${{ font: "18px/1.5 var(--serif)" }} /><b class="num" style=${{ font: "13px var(--sans)", color: "var(--accent)", whiteSpace: "nowrap" }}>${value}</b></div>
    <div class="pv-scroll"><${Words} ...${all} text=${code} style=${{ font: "12px/1.5 var(--mono)", color: "var(--soft)", whiteSpace: "pre" }} /></div>
  </div>`;
  const over = (n) => ({ onPointerEnter: () => light(n), onPointerLeave: () => light(null) });
  const letters = shows.letters.legend.filter((l) => l.name);
  const W = letters[0]?.letter ?? "W";
  const plain = letters[0]?.code ?? "W";
  return html`
    ${shows.letters.rows.map((row, n) => line(n, now === n, row.algebra, row.code, made(n) && row.shape.every((s) => s === 1) ? html`<${Num} at=${`letters.rows[${n}].numbers[0]`} digits=4 />` : times(row.shape), over(n)))}
    ${line("compare", now === "compare", shows.compare.algebra, shows.compare.code, shows.phase >= shows.depth ? html`<${Num} at="loss" digits=4 />` : "")}
    ${line("learn", now === "learn", `${W} ← ${W} − lr ∂E/∂${W}`, `${plain} -= lr * ${plain}.grad`, t("learn"))}`;
}

// --------------------------------------------------------------------------------- the numbers of a matrix

function Numbers({ shows, t, act }) {
  const { matrix: m } = shows;
  const names = shows.letters.legend.filter((l) => l.name);
  const pick = (row, column) => act("pick", { row, column });
  const reach = Math.max(1, Math.ceil(2 * Math.abs(num(m.weight))));
  return html`
    <div class="pv-bar" style=${{ margin: "0 0 10px", gap: "6px" }}>${names.map((l) => html`<button key=${l.name} data-open=${l.name} aria-pressed=${l.name === m.name} onClick=${() => act("open", { weight: l.name })}
      style=${l.name === m.name ? { padding: "5px 11px", background: "var(--tint)", color: "var(--accent)", fontWeight: 600 } : { padding: "5px 11px" }}>${l.letter}</button>`)}</div>
    ${m.numbers.length ? html`<${Written} m=${m} t=${t} pick=${pick} />` : html`<${Drawn} m=${m} t=${t} pick=${pick} />`}
    ${m.tiles !== 0 && m.shape.length > 1 && html`<${Tiles} m=${m} t=${t} pick=${pick} />`}
    <label class="pv-slider" style=${{ display: "flex", flexWrap: "wrap", font: "14px/1.4 var(--sans)", marginTop: "10px", whiteSpace: "normal" }}>
      <span class="num">${m.name}[${m.row}, ${m.column}]: ${t("weight")} <b style=${{ minWidth: 0 }}><${Num} at="matrix.weight" digits=4 /></b> · ${t("gradient")} <b style=${{ minWidth: 0, color: "var(--accent)" }}><${Num} at="matrix.gradient" digits=5 sign /></b></span>
      <input type="range" data-edit min=${-reach} max=${reach} step="0.01" value=${num(m.weight)} aria-label=${t("click a weight, then drag it")} style=${{ flex: "1 1 140px", minWidth: 0 }}
        onInput=${(e) => act("edit", { row: m.row, column: m.column, value: Number(e.target.value), drag: true })} />
    </label>
    <p style=${small}>${t("click a weight, then drag it")}</p>`;
}

const which = (m, t, word) => (m.tiles && m.shape.length > 1 ? `${t(word)}, ${fill(t("row #"), m.row)}` : t(word));

/** Few numbers, written out: the whole matrix, or the picked row of it in the form of an image. */
function Written({ m, t, pick }) {
  const wide = m.numbers[0].length;
  const place = m.tiles ? (i, j) => [m.row, i * wide + j] : (i, j) => [i, j];
  const lit = (i, j) => String(place(i, j)) === String([m.row, m.column]);
  const one = (at, word, more) => html`<div style=${{ minWidth: 0 }}><p style=${{ ...small, margin: 0 }}>${which(m, t, word)}</p>
    <${Matrix} at=${at} pick=${(i, j) => pick(...place(i, j))} lit=${lit} ...${more} /></div>`;
  return html`<div style=${{ display: "flex", flexWrap: "wrap", gap: "4px 26px" }}>
    ${one("matrix.numbers", "weights", { scale: num(m.largest) || 1 })}${one("matrix.gradients", "gradients", { digits: 3, scale: (num(m.steepest) || 1) * 1.4 })}</div>`;
}

/** Many numbers of the picked row as an image, beside their gradients. */
function Drawn({ m, t, pick }) {
  const [high, wide] = array(m.tile).shape;
  const big = (of, title) => html`<figure style=${{ margin: 0, flex: "1 1 0", minWidth: 0, display: "grid", justifyItems: "center" }}>
    <${Field} of=${of} signed most=${largest([...array(of).data])} size=${Math.round(Math.min(200, (320 * wide) / high))} label=${title} drag=${(i, j) => pick(m.row, i * wide + j)}><${Outline} row=${Math.floor(m.column / wide)} column=${m.column % wide} /><//>
    <figcaption style=${small}>${title}</figcaption></figure>`;
  return html`<div style=${{ display: "flex", gap: "14px" }}>${big(m.tile, which(m, t, "weights"))}${big(m.slopes, which(m, t, "gradients"))}</div>`;
}

/** All rows of a matrix as small images. */
function Tiles({ m, t, pick }) {
  const { shape, data } = array(m.tiles);
  const [rows, high, wide] = shape;
  const one = (n) => ({ shape: [high, wide], data: data.slice(n * high * wide, (n + 1) * high * wide) });
  return html`<div style=${{ display: "flex", flexWrap: "wrap", gap: "5px", marginTop: "10px" }}>
      ${Array.from({ length: rows }, (_, n) => html`<button key=${n} data-tile=${n} aria-pressed=${n === m.row} onClick=${() => pick(n, m.column)} aria-label=${fill(t("row #"), n)} style=${{ padding: "2px", background: "none", cursor: "pointer", borderRadius: "8px", border: `2px solid ${n === m.row ? "var(--accent)" : "transparent"}` }}>
        <${Pixels} of=${one(n)} signed most=${num(m.largest) || 1} size=${high > 2 * wide ? 24 : 44} /></button>`)}
    </div><p style=${small}>${t("each row makes one number")}</p>`;
}
