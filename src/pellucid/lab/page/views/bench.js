// The free bench: layers on top of each other, what they make of the plane, and one example on its way.
import { array, Card, Columns, Controls, diverging, Draw, html, largest, num, Num, Pixels, Plot, Problem, Say, useEffect, useRef, useState, useView, view } from "../kit/index.js";
import { Gallery, Images, Read, Table, Text } from "../own-data.js";

export default view(({ shows, t, value }) => html`<${Columns}>
  <div>
    <${Card} title=${t("the network")}>
      <${Layers} />
      <${Controls} settings=${["optimizer", "lr", "batch", "fit"]} />
      <${Say} />
    <//>
    ${shows.walk && html`<${Card} title=${t("one example on its way")}><${Walk} /><//>`}
    <${Card} title=${t("take it away")}><${Export} /><//>
  </div>
  <div>
    <${Card} title=${t("the data")} note=${t("# to learn from, # others").replace("#", shows.known).replace("#", shows.others)}>
      <${Data} />
    <//>
    <${Card} title=${t("how it goes")}>
      <${Plot} curves=${curves(shows, t)} x=${t("steps")} ys=${[0, 1.8 * Math.max(1, Math.min(4, largest(shows.losses)))]} height=190 width=460 label=${t("how it goes")} />
      <p class="soft">${t("weights")} <${Num} at="weights" digits=0 />${shows.test_right.length > 0 && html` · ${t("right, of the others")} <${Num} at=${`test_right[${shows.test_right.length - 1}]`} digits=3 />`}</p>
    <//>
  </div>
<//>`);

const curves = (shows, t) => [
  { x: shows.losses.map((_, i) => i + 1), y: shows.losses, label: t("loss"), colour: "#6f6b64" },
  { x: shows.right.map((_, i) => i + 1), y: shows.right, label: t("right, of those it learns from"), colour: "#d95f0e" },
  { x: shows.test_right.map((_, i) => i), y: shows.test_right, label: t("right, of the others"), colour: "#0b6e75" },
];

const shape = (list) => (list ? `(${list.join(", ")})` : "?");

function Layers() {
  const { shows, t, act } = useView();
  return html`<div class="bench-stack">
    <div class="bench-layer"><span class="soft">${t("what comes in")}</span><span></span><code class="num">${shape(shows.input)}</code></div>
    ${shows.layers.map((layer, i) => html`<${Adder} key=${`a${i}`} at=${i} /><div key=${i} class=${`bench-layer${layer.broken ? " broken" : ""}${shows.walk?.layers[i]?.forward ? " met" : ""}`}>
      <b>${layer.label}</b>
      <span>${layer.most > 0 && html`<input type="number" class="num" aria-label=${t("size")} data-layer=${i} min="1" max=${layer.most} value=${layer.size} onChange=${(e) => act("resize", { at: i, size: Math.round(Number(e.target.value)) || 1 })} />`}</span>
      <code class="num">${layer.broken ? "✕" : shape(layer.shape)}</code>
      <button class="quiet" aria-label=${t("take out")} title=${t("take out")} data-remove=${i} onClick=${() => act("remove", { at: i })}>×</button>
    </div>`)}
    <${Adder} at=${shows.layers.length} last />
    ${shows.message && html`<${Problem} of=${shows} />`}
  </div>`;
}

/** Between two layers: a place for another one. */
function Adder({ at, last }) {
  const { shows, t, act } = useView();
  const add = (event) => {
    act("add", { kind: event.target.value, at });
    event.target.value = "";
  };
  return html`<select class=${`bench-add${last ? " last" : ""}`} data-add=${at} aria-label=${t("put a layer in")} onChange=${add}>
    <option value="">+ ${last ? t("put a layer in") : ""}</option>
    ${shows.kinds.map((k) => html`<option key=${k.kind} value=${k.kind}>${k.label}</option>`)}
  </select>`;
}

function Data() {
  const { shows, state, t, act, value, recorded } = useView();
  const task = state.settings.find((s) => s.name === "task");
  const own = { table: html`<${Table} />`, images: html`<${Images} />`, lines: html`<${Text} key="lines" kind="lines" />`, letters: html`<${Text} key="letters" kind="letters" />` }[task.value];
  return html`
    <div class="pv-bar settings" style=${{ marginTop: 0, marginBottom: "12px" }}>
      <span class="pv-choice" role="radiogroup" aria-label=${task.label}>${task.choices.map((c) => html`<button role="radio" key=${c.value} data-set="task" data-value=${c.value} aria-checked=${c.value === task.value} onClick=${() => act("set", { name: "task", value: c.value })}>${c.label}</button>`)}</span>
      ${value("task") === "table" && html`<label class="pv-switch"><input type="checkbox" data-set="scaled" checked=${value("scaled")} onChange=${(e) => act("set", { name: "scaled", value: e.target.checked })} /><span>${t("scaled")}</span></label>`}
    </div>
    ${shows.map && html`<${Plane} map=${shows.map} columns=${shows.columns} />`}
    ${task.value === "digits" && html`<div class="bench-digit"><${Draw} side=${shows.side} value=${shows.drawn ? rows(shows.image) : EMPTY} done=${(drawn) => act("draw", { rows: drawn })} label=${t("draw a digit")} />
      <div><${Pixels} of=${shows.image} size=112 label=${t("the example")} /><p class="soft">${shows.drawn ? t("yours") : t("draw a digit")}</p></div></div>`}
    ${shows.gallery && html`<${Gallery} /><div class="bench-digit" style=${{ marginTop: "14px" }}><${Pixels} of=${shows.image} size=112 most=${1} label=${t("the example")} /><p class="soft">${t("the example")}</p></div>`}
    ${shows.text && html`<${Read} />`}
    ${task.value === "table" && !shows.map && html`<p class="soft">${shows.columns.join(" · ")} → ${shows.classes.join(" · ")}</p>`}
    ${own && !recorded && html`<div class="bench-bring">${own}</div>`}`;
}

const EMPTY = [];

function rows(image) {
  const { shape: [height, width], data } = array(image);
  return Array.from({ length: height }, (_, i) => [...data.slice(i * width, (i + 1) * width)]);
}

/** The plane: what the network says where, and the examples it learns from. */
function Plane({ map, columns }) {
  const canvas = useRef();
  useEffect(() => {
    if (!map.surface) return;
    const { shape: [height, width], data } = array(map.surface);
    Object.assign(canvas.current, { width, height });
    const image = new ImageData(width, height);
    data.forEach((v, i) => image.data.set([...diverging(0.62 * v).match(/\d+/g).map(Number), 255], 4 * i));
    canvas.current.getContext("2d").putImageData(image, 0, 0);
  }, [map]);
  const [x0, x1] = map.x.map(num);
  const [y0, y1] = map.y.map(num);
  return html`<div class="bench-plane">
    <canvas ref=${canvas}></canvas>
    <svg viewBox="0 0 300 300" preserveAspectRatio="none">${map.points.map(([x, y], i) => html`<circle key=${i} cx=${(300 * (x - x0)) / (x1 - x0)} cy=${300 - (300 * (y - y0)) / (y1 - y0)} r="3.6" fill=${map.kinds[i] ? "#d95f0e" : "#2166ac"} stroke="#fffefb" />`)}</svg>
  </div><p class="soft bench-axes">${columns[0]} → · ${columns[1]} ↑</p>`;
}

/** One example, layer by layer: forwards, then the blame on its way back. */
function Walk() {
  const { shows, t, act } = useView();
  const { walk } = shows;
  const [most, blame] = ["numbers", "blame"].map((which) => largest(walk.layers.map((l) => l[which])));
  return html`
    <div class="pv-bar" style=${{ marginTop: 0 }}>
      <button class="go" data-do="follow" disabled=${walk.done} onClick=${() => act("follow")}>${t("one layer further")}</button>
      <button onClick=${() => act("pick", { index: shows.example + 1 })}>${t("another example")}</button>
    </div>
    <div class="bench-walk">${walk.layers.map((layer, i) => html`<div key=${i} class="bench-step">
      <span class="soft">${shows.layers[i].label}</span>
      <${Strip} at=${`walk.layers[${i}].numbers`} values=${layer.numbers} most=${most} on=${layer.forward} more=${layer.more} />
      <${Strip} at=${`walk.layers[${i}].blame`} values=${layer.blame} most=${blame} on=${layer.backward} back />
    </div>`)}</div>
    ${walk.compared && html`<p class="bench-says">${walk.shown.map((i) => html`<span key=${i} class=${i === walk.target ? "wanted" : ""}>${shows.classes[i]} <${Num} at=${`walk.shares[${i}]`} /></span>`)}</p>
      <p class="soft">${t("loss")} <${Num} at="walk.loss" digits=3 /></p>`}`;
}

function Strip({ at, values, most, on, more, back }) {
  return html`<div class=${`bench-strip${on ? "" : " off"}`}>${back && html`<span class="soft">δ</span>`}
    ${values.map((v, i) => html`<span key=${i} class="bench-cell" style=${{ background: on ? diverging(num(v) / most) : "#efece5" }} title=${on ? String(v) : ""}></span>`)}
    ${more > 0 && html`<span class="soft">+${more}</span>`}
    ${on && html`<span class="num soft">${values.length > 0 && html`<${Num} at=${`${at}[0]`} />`} …</span>`}</div>`;
}

function Export() {
  const { shows, save, t, recorded } = useView();
  return html`<p class="soft" style=${{ marginTop: 0 }}>${t("the trained network, checked to predict the same")}</p>
    <div class="pv-bar" style=${{ marginTop: 0 }}>${["numpy", "torch", "onnx"].map((kind) => html`<button key=${kind} data-save=${kind} disabled=${!shows.walk || recorded} onClick=${() => save(kind)}>${{ numpy: "NumPy", torch: "PyTorch", onnx: "ONNX" }[kind]}</button>`)}</div>`;
}
