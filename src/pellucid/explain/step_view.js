/**
 * One step of a network, to be gone through forwards and backwards.
 *
 * An AFM module: `render({ model, el })` draws into `el` what `model.get(key)` holds; the keys are those of
 * `pellucid.explain.page.model_of`. `show` chooses parts ("picture", "program", "numbers", "words"); without
 * it all are drawn. Every number comes from the data; nothing is computed here but colours and places.
 *
 * Whatever is about the same quantity carries its name in `data-about`: pointing at one lights the others.
 */

const SVG = "http://www.w3.org/2000/svg";
const BLUE = [33, 102, 172], PAPER = [250, 248, 244], ORANGE = [217, 95, 14];
const CIRCLES = 12; // units of a row that are drawn one by one
const PICTURES = 6; // small pictures in a node
const ROW = 128; // pixels from one row of the picture to the next
const TOP = 50;

/** @typedef {{shape: number[], numbers: (number|string)[][], rows: number[], columns: number[],
 *   low?: number, high?: number, mean?: number, std?: number, zeros?: number, bad: number,
 *   at?: number[], dtype: string, tiles?: {height: number, width: number, levels: number[]}[]}} Figure */

// ------------------------------------------------------------------------------------- small helpers

/** An element with attributes and children; text is text and never markup. */
function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function shape(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

/** A colour for a share from -1 to 1: blue below 0, paper at 0, orange above. */
function tint(share) {
  const s = Math.max(-1, Math.min(1, share));
  const end = s > 0 ? ORANGE : BLUE;
  const mixed = PAPER.map((from, i) => Math.round(from + (end[i] - from) * Math.abs(s)));
  return `rgb(${mixed.join(",")})`;
}

function ink(share) {
  return Math.abs(share) > 0.6 ? "#fff" : "#1c1e22";
}

/** A number with a few figures, and a real minus sign. */
function short(value, figures = 3) {
  if (typeof value !== "number") return { Infinity: "∞", "-Infinity": "−∞" }[value] ?? String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value).replace("-", "−");
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(Math.max(figures - 2, 0)).replace("e+", "e")
    : String(Number(value.toPrecision(figures)));
  return text.replaceAll("-", "−");
}

const sizes = (figure) => figure.shape.length ? figure.shape.join(" × ") : "1";
const largest = (figure) => Math.max(Math.abs(figure.low ?? 0), Math.abs(figure.high ?? 0)) || 1;
const share = (value, most) => (typeof value === "number" ? value / most : 0);
const words = (text, values) => text.replace(/\{(\w+)\}/g, (_, key) => String(values[key] ?? ""));

/** The units of the first example, if they are few and all are known; else null. */
function units(figure) {
  const row = figure.numbers[0];
  const count = figure.shape.length ? figure.shape[figure.shape.length - 1] : 1;
  return row && count <= CIRCLES && row.length === count && figure.shape.length < 4 ? row : null;
}

/** The same, where they are amounts and no numbers of words or classes. */
const circles = (figure) => (figure.dtype.startsWith("float") ? units(figure) : null);

// ---------------------------------------------------------------------------------------- the model

/** The data of a step, and what can be asked of it at each moment. */
class Step {
  constructor(model) {
    for (const key of ["title", "parts", "source", "functions", "given", "lines", "nodes", "edges", "texts", "version"]) {
      this[key] = model.get(key);
    }
    this.node = new Map(this.nodes.map((node) => [node.name, node]));
  }

  /** The figure of a quantity after line `at` (-1: before the first), or undefined. */
  value(name, at) {
    for (let i = at; i >= 0; i--) if (name in this.lines[i].after) return this.lines[i].after[name];
    return this.given[name]?.figure;
  }

  /** The gradient of a quantity as far as it is known after line `at`. */
  gradient(name, at) {
    const node = this.node.get(name);
    const reached = (node?.gradients ?? this.gradients(name)).filter((g) => g.line <= at);
    if (reached.length) {
      const { line, name: called } = reached[reached.length - 1];
      return { name: called, figure: this.lines[line].after[called] };
    }
    if (node?.engine && !node.gradients.length && at >= this.learns()) {
      return { name: node.same ?? "", figure: node.engine, engine: true };
    }
    return undefined;
  }

  gradients(name) {
    return this.lines.flatMap((line, i) => line.kind !== "gradient" ? []
      : Object.entries(line.belongs).filter(([, of]) => of === name).map(([made]) => ({ line: i, name: made })));
  }

  /** The first line of learning; after the last line where nothing is learned. */
  learns() {
    const found = this.lines.findIndex((line) => line.part === "learn");
    return found < 0 ? this.lines.length : found;
  }

  kind(name) {
    return this.given[name]?.kind ?? "";
  }
}

// ------------------------------------------------------------------------------------------- render

/** Draw a step; returns what takes it away again. */
function render({ model, el }) {
  const step = new Step(model);
  const show = model.get("show") ?? ["picture", "program", "numbers", "words"];
  const state = { at: -1, focus: "", pinned: "", language: firstLanguage(model, step) };
  const whole = Boolean(model.get("standalone")); // a page of its own, not a part of another
  const view = { el, step, state, show, whole, say: (key, values = {}) => words(step.texts[state.language][key] ?? key, values) };

  view.go = (at) => {
    state.at = Math.max(-1, Math.min(step.lines.length - 1, at));
    state.pinned = state.focus = "";
    update(view);
  };
  view.pin = (name) => {
    state.pinned = state.pinned === name ? "" : name;
    update(view);
  };
  view.light = (name) => {
    if (state.focus === name) return;
    state.focus = name;
    lightUp(view);
  };
  view.speak = (language) => {
    state.language = language;
    try { localStorage.setItem("pellucid-language", language); } catch { /* kept for this visit only */ }
    build(view);
  };

  const keys = (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    const goal = { ArrowRight: state.at + 1, ArrowLeft: state.at - 1, Home: -1, End: step.lines.length - 1 }[event.key];
    if (goal === undefined) return;
    event.preventDefault();
    view.go(goal);
  };
  const point = (event) => view.light(event.target.closest?.("[data-about]")?.dataset.about.split(" ")[0] ?? "");
  const printing = () => {
    view.go(step.lines.length - 1);
    for (const part of el.querySelectorAll("details")) part.open = true;
  };
  const hears = whole ? document : el;
  hears.addEventListener("keydown", keys);
  el.addEventListener("pointerover", point);
  el.addEventListener("focusin", point);
  if (whole) addEventListener("beforeprint", printing);
  let width = 0;
  const watcher = new ResizeObserver(() => {
    const now = el.querySelector(".pl-picture")?.clientWidth ?? 0;
    if (now && now !== width) {
      width = now;
      drawPicture(view);
    }
  });
  el.classList.add("pl-step");
  build(view);
  watcher.observe(el);
  return () => {
    watcher.disconnect();
    hears.removeEventListener("keydown", keys);
    el.removeEventListener("pointerover", point);
    el.removeEventListener("focusin", point);
    removeEventListener("beforeprint", printing);
    el.replaceChildren();
  };
}

function firstLanguage(model, step) {
  let saved = "";
  try { saved = localStorage.getItem("pellucid-language") ?? ""; } catch { /* a frame may keep nothing */ }
  const asked = model.get("standalone") ? new URLSearchParams(location.search).get("lang") : "";
  const wanted = [asked, model.get("language"), saved, navigator.language].filter(Boolean);
  for (const language of wanted) {
    if (language in step.texts) return language;
    if (language.toLowerCase().startsWith("zh")) return "zh-CN";
    if (language.toLowerCase().startsWith("en")) return "en";
  }
  return "en";
}

/** Everything anew, in the language at hand. */
function build(view) {
  const { el, step, state, show, say } = view;
  const heading = headingOf(step);
  el.lang = state.language;
  if (view.whole) {
    document.documentElement.lang = state.language;
    document.title = say(heading, { title: step.title });
  }
  const parts = { picture: () => pictureCard(view), program: () => programCard(view), numbers: () => numbersCard(view), words: () => wordsCard(view) };
  const has = (name) => show.includes(name);
  el.replaceChildren(
    make("header", {}, make("h1", {}, say(heading, { title: step.title })), languages(view)),
    make("p", { class: "pl-lead" }, say("lead")),
    controls(view),
    make("div", { class: "pl-grid" },
      make("div", { class: "pl-column" }, has("picture") ? parts.picture() : null),
      make("div", { class: "pl-column" }, has("program") ? parts.program() : null, sayCard(view))),
    ...["numbers", "words"].filter(has).map((name) => parts[name]()),
    make("footer", {}, say("made_by", { version: step.version })));
  update(view);
}

function headingOf(step) {
  if (step.parts.length < 2) return "heading_short";
  return step.title === "step" ? "heading_step" : "heading";
}

function languages(view) {
  const names = { en: "English", "zh-CN": "简体中文" };
  return make("nav", { "aria-label": view.say("language") }, ...Object.keys(view.step.texts).map((language) =>
    make("button", { type: "button", lang: language, "aria-pressed": language === view.state.language, onclick: () => view.speak(language) }, names[language] ?? language)));
}

/** Buttons, the slider, and where in the step one is. */
function controls(view) {
  const { step, state, say } = view;
  const last = step.lines.length - 1;
  const button = (name, sign, goal, kind = "") => make("button", {
    type: "button", class: kind, "data-go": name, title: say(name), "aria-label": say(name), onclick: () => view.go(goal()),
  }, sign);
  const slider = make("input", {
    type: "range", min: -1, max: last, value: state.at, "aria-label": say("slider"),
    oninput: (event) => view.go(Number(event.target.value)),
  });
  const counts = step.parts.map((part) => step.lines.filter((line) => line.part === part).length);
  const track = make("div", { class: "pl-parts" }, ...step.parts.map((part, i) => {
    const label = make("button", {
      type: "button", "data-part": part, onclick: () => view.go(step.lines.findIndex((line) => line.part === part)),
    }, say(part));
    label.style.flexGrow = String(counts[i]);
    return label;
  }));
  return make("div", { class: "pl-controls" },
    button("first", "|◀\uFE0E", () => -1),
    button("back", `◀\uFE0E ${say("back")}`, () => state.at - 1),
    button("step", `${say("step")} ▶\uFE0E`, () => state.at + 1, "pl-go"),
    button("last", "▶\uFE0E|", () => last),
    make("div", { class: "pl-where" }, slider, track),
    make("span", { class: "pl-count", "aria-live": "polite" }));
}

/** What changes from line to line. */
function update(view) {
  const { el, step, state, say } = view;
  const { at } = state;
  const line = step.lines[at];
  el.querySelector("input[type=range]").value = at;
  el.querySelector(".pl-count").textContent = at < 0 ? "" : say("of", { at: at + 1, all: step.lines.length });
  el.querySelector("[data-go=back]").disabled = el.querySelector("[data-go=first]").disabled = at < 0;
  el.querySelector("[data-go=step]").disabled = el.querySelector("[data-go=last]").disabled = at === step.lines.length - 1;
  for (const label of el.querySelectorAll("[data-part]")) {
    label.setAttribute("aria-current", line && label.dataset.part === line.part ? "step" : "false");
  }
  const said = el.querySelector(".pl-say");
  said?.replaceChildren(...(line ? sentences(line, state.language) : [make("p", {}, say("start"))]));
  updateProgram(view);
  drawPicture(view);
  updateNumbers(view);
  lightUp(view);
}

function sentences(line, language) {
  return line.say[language].map((sentence) => make("p", {}, sentence.replace(/(?<![\w.])-(?=\d)/g, "−")));
}

/** Light whatever is about what one points at; without pointing, what the current line is about. */
function lightUp(view) {
  const { el, step, state } = view;
  const chosen = state.focus || state.pinned || (step.lines[state.at]?.about ?? "");
  for (const thing of el.querySelectorAll("[data-about]")) {
    const about = thing.dataset.about.split(" ");
    const uses = (thing.dataset.uses ?? "").split(" ");
    thing.classList.toggle("pl-lit", chosen !== "" && about.includes(chosen));
    thing.classList.toggle("pl-near", chosen !== "" && !about.includes(chosen) && uses.includes(chosen));
  }
}

// ---------------------------------------------------------------------------------------- the program

function programCard(view) {
  const { step, say } = view;
  const code = make("div", { class: "pl-code" });
  let part = "";
  step.lines.forEach((line, i) => {
    if (line.part !== part && step.parts.length > 1) {
      code.append(make("div", { class: "pl-comment" }, `# ${line.part}`, make("span", {}, view.state.language === "en" ? "" : say(line.part))));
    }
    part = line.part;
    const about = [...new Set([line.about, ...Object.values(line.belongs)])].filter(Boolean).join(" ");
    const row = make("div", {
      class: "pl-line", role: "button", tabindex: 0, "data-line": i, "data-about": about, "data-uses": line.reads.join(" "),
      onclick: () => view.go(i),
      onkeydown: (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        view.go(i);
      },
    }, make("code", {}, line.text), make("span", { class: "pl-value" }));
    code.append(row);
  });
  const copy = make("button", { type: "button", onclick: () => copySource(view, copy) }, say("copy"));
  return make("section", { class: "pl-card" }, make("h2", {}, say("program")), code, make("div", { class: "pl-bar" }, copy), functionsPart(view));
}

async function copySource(view, button) {
  try {
    await navigator.clipboard.writeText(view.step.source);
  } catch { // a page from a file may have no clipboard: the old way
    const area = make("textarea", {}, view.step.source);
    view.el.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  button.textContent = view.say("copied");
}

function functionsPart(view) {
  if (!view.step.functions.length) return null;
  return make("details", { class: "pl-functions" }, make("summary", {}, view.say("functions")),
    ...view.step.functions.map((known) => make("pre", {}, known.text)));
}

function updateProgram(view) {
  const { el, step, state } = view;
  for (const row of el.querySelectorAll(".pl-line")) {
    const i = Number(row.dataset.line);
    const line = step.lines[i];
    row.classList.toggle("pl-current", i === state.at);
    row.classList.toggle("pl-later", i > state.at);
    row.setAttribute("aria-current", i === state.at ? "step" : "false");
    row.querySelector(".pl-value").textContent = i <= state.at ? inBrief(line.after[line.makes[0]]) : "";
    if (i === state.at) keepInSight(row);
  }
}

/** Scroll the box around a row, never the page. */
function keepInSight(row) {
  const box = row.parentElement;
  const above = row.offsetTop; // the box is what it is measured from
  if (above < box.scrollTop || above + row.offsetHeight > box.scrollTop + box.clientHeight) {
    box.scrollTop = above - box.clientHeight / 2;
  }
}

/** A few numbers, or the sizes of many. */
function inBrief(figure) {
  const row = units(figure);
  const single = figure.numbers.length === 1;
  if (row && single && row.length === 1) return short(row[0]);
  if (row && single && row.length <= 4) return `(${row.map((v) => short(v, 2)).join(", ")})`;
  return sizes(figure);
}

// ---------------------------------------------------------------------------------------- the picture

function pictureCard(view) {
  const legend = make("div", { class: "pl-legend" },
    make("span", {}, view.say("below")), make("i", { class: "pl-scale" }), make("span", {}, view.say("above")),
    make("span", { class: "pl-note" }, view.say("first_example")));
  return make("section", { class: "pl-card" }, make("h2", {}, view.say("picture")), make("div", { class: "pl-picture" }), legend);
}

/** Where every node stands: rows from the top, the nodes of a row side by side. */
function places(step, width) {
  const rows = new Map();
  for (const node of step.nodes) rows.set(node.level, [...(rows.get(node.level) ?? []), node]);
  const order = [...rows.keys()].sort((a, b) => a - b);
  const found = new Map();
  order.forEach((level, y) => {
    const row = sorted(step, rows.get(level), found);
    const wanted = row.map((node) => Math.max(2, Math.min(units(figureOf(step, node))?.length ?? 8, 8)));
    const all = wanted.reduce((a, b) => a + b, 0);
    let left = 0;
    row.forEach((node, i) => {
      const own = (width * wanted[i]) / all;
      found.set(node.name, { x: left + own / 2, y: TOP + y * ROW, width: own - 12 });
      left += own;
    });
  });
  return { found, height: TOP + (order.length - 1) * ROW + 74 };
}

/** The nodes of a row in the order of what they are made from, so that few ways cross. */
function sorted(step, row, found) {
  const wish = new Map(row.map((node) => {
    const above = step.edges.filter((edge) => edge.to === node.name && found.has(edge.from)).map((edge) => found.get(edge.from).x);
    return [node.name, above.length ? above.reduce((a, b) => a + b, 0) / above.length : Infinity];
  }));
  return [...row].sort((a, b) => (wish.get(a.name) === wish.get(b.name) ? 0 : wish.get(a.name) - wish.get(b.name)));
}

/** The figure of a node once it is there: for its size, which does not change. */
function figureOf(step, node) {
  return node.line === null ? step.given[node.name].figure : step.lines[node.line].after[node.name];
}

function centres(place, count) {
  const gap = Math.min(58, place.width / count);
  return Array.from({ length: count }, (_, i) => place.x + (i - (count - 1) / 2) * gap);
}

const radius = (place, count) => Math.max(5, Math.min(21, place.width / count / 2 - 3));

function drawPicture(view) {
  const { el, step, state } = view;
  const box = el.querySelector(".pl-picture");
  if (!box) return;
  const width = Math.max(box.clientWidth - 4, 240);
  const { found, height } = places(step, width);
  const svg = shape("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": view.say("picture") });
  for (const node of step.nodes) drawGround(view, svg, node, found.get(node.name));
  for (const edge of step.edges) drawEdge(view, svg, edge, found);
  for (const node of step.nodes) drawNode(view, svg, node, found.get(node.name));
  for (const node of step.nodes) drawWeights(view, svg, node, found.get(node.name));
  const scrolled = box.scrollTop;
  box.replaceChildren(svg);
  box.scrollTop = scrolled;
  const about = step.lines[state.at]?.about;
  const place = found.get(about) ?? found.get(step.nodes.find((node) => node.weights.includes(about))?.name);
  if (place && (place.y - ROW - 50 < box.scrollTop || place.y + 60 > box.scrollTop + box.clientHeight)) {
    box.scrollTop = place.y - box.clientHeight / 2;
  }
  lightUp(view);
}

const known = (view, node) => node.line === null || node.line <= view.state.at;

function drawEdge(view, svg, edge, found) {
  const { step, state } = view;
  const [from, to] = [step.node.get(edge.from), step.node.get(edge.to)];
  const [a, b] = [found.get(edge.from), found.get(edge.to)];
  const faint = known(view, to) ? "" : " pl-faint";
  const [above, below] = [circles(figureOf(step, from)), circles(figureOf(step, to))];
  const line = step.lines[state.at];
  const blamed = edge.weight && line?.kind === "gradient" && Object.entries(line.belongs).find(([, of]) => of === edge.weight);
  const called = blamed ? blamed[0] : edge.weight; // while blame is handed out, the lines show the blame
  const weight = called ? step.value(called, state.at) : undefined;
  const rows = edge.by === "rows";
  const fits = weight && above && below && weight.numbers.length === weight.shape[0] && weight.numbers[0].length === weight.shape[1]
    && weight.shape[rows ? 0 : 1] === above.length && weight.shape[rows ? 1 : 0] === below.length;
  const low = a.y + 24, high = b.y - 24, middle = (low + high) / 2;
  if (!fits) {
    const far = b.y - a.y > 1.5 * ROW; // around what stands between
    const room = Number(svg.getAttribute("width")) / 2 - 10;
    const side = far ? Math.min(room - Math.abs((a.x + b.x) / 2 - room - 10), 0.36 * room + 60) * (a.x > room + 11 ? -1 : 1) : 0;
    const d = far
      ? `M${a.x},${low} C${a.x + side * 1.3},${low + ROW / 2} ${b.x + side * 1.3},${high - ROW / 2} ${b.x},${high}`
      : `M${a.x},${low} C${a.x},${middle} ${b.x},${middle} ${b.x},${high}`;
    svg.append(shape("path", { class: `pl-edge${faint}`, d }));
    return;
  }
  const group = shape("g", { class: `pl-tie${faint}`, "data-about": edge.weight, onclick: () => view.pin(edge.weight) });
  const most = largest(weight);
  const [starts, ends] = [centres(a, above.length), centres(b, below.length)];
  const [r, s] = [radius(a, above.length), radius(b, below.length)];
  starts.forEach((x, i) => ends.forEach((z, j) => {
    const value = rows ? weight.numbers[i][j] : weight.numbers[j][i];
    const part = share(value, most);
    const [y0, y1] = [a.y + r, b.y - s];
    group.append(shape("path", {
      d: `M${x},${y0} C${x},${(y0 + y1) / 2} ${z},${(y0 + y1) / 2} ${z},${y1}`,
      stroke: part === 0 ? "rgb(222,216,204)" : tint(Math.sign(part) * (0.35 + 0.65 * Math.abs(part))),
      "stroke-width": 1 + 3.2 * Math.abs(part),
    }, shape("title", {}, `${called}[${rows ? `${i}, ${j}` : `${j}, ${i}`}] = ${short(value, 4)}`)));
  }));
  svg.append(group);
}

/** What lights up behind a node and the ways into it. */
function drawGround(view, svg, node, place) {
  const now = view.step.lines[view.state.at]?.about === node.name;
  svg.append(shape("rect", {
    class: `pl-ground${now ? " pl-now" : ""}`, "data-about": node.name, onclick: () => view.pin(node.name),
    x: place.x - place.width / 2, y: place.y - 42, width: place.width, height: 88, rx: 10,
  }));
}

function drawNode(view, svg, node, place) {
  const { step, state } = view;
  const ready = known(view, node);
  const figure = figureOf(step, node);
  const gradient = step.gradient(node.name, state.at);
  const group = shape("g", {
    class: `pl-node${ready ? "" : " pl-faint"}`, "data-about": node.name, "data-node": node.name,
    tabindex: 0, role: "button", "aria-label": node.name,
    onclick: () => view.pin(node.name),
    onkeydown: (event) => { if (event.key === "Enter") view.pin(node.name); },
  });
  const title = `${node.name}`;
  const room = Math.floor(place.width / 7.4);
  group.append(shape("text", { class: "pl-name", x: place.x, y: place.y - 29 }, title.length > room ? `${title.slice(0, Math.max(room - 1, 1))}…` : title, shape("title", {}, `${title} (${figure.shape.join(", ")})`)));
  const row = circles(figure);
  if (row) drawUnits(group, place, row, ready ? figure : null, gradient?.figure);
  else if (figure.tiles?.length > 1) drawPictures(group, place, figure, ready);
  else if (figure.tiles) drawStrip(group, place, figure, ready);
  else drawSigns(group, place, figure, ready);
  if (gradient && !(row && units(gradient.figure)?.length === row.length)) {
    group.append(shape("text", { class: "pl-delta", x: place.x, y: place.y + (row ? radius(place, row.length) : figure.tiles?.length > 1 ? 19 : 13) + 14, "font-size": 11 }, deltaText(gradient.figure)));
  }
  svg.append(group);
}

function deltaText(figure) {
  if (figure.low === undefined) return "δ NaN";
  return figure.low === figure.high ? `δ ${short(figure.low)}` : `δ ${short(figure.low, 2)} … ${short(figure.high, 2)}`;
}

/** A circle for each unit, with its number; below it what came back to it. */
function drawUnits(group, place, row, figure, gradient) {
  const xs = centres(place, row.length), r = radius(place, row.length);
  const most = figure ? largest(figure) : 1;
  const back = gradient ? units(gradient) : null;
  xs.forEach((x, i) => {
    const part = figure ? share(row[i], most) : 0;
    const asleep = figure && row[i] === 0;
    group.append(shape("circle", { class: asleep ? "pl-asleep" : "pl-unit", cx: x, cy: place.y, r, fill: figure && !asleep ? tint(part * 0.85) : "rgb(250,248,244)" },
      figure ? shape("title", {}, short(row[i], 5)) : null));
    if (figure && r >= 11) {
      const text = short(row[i], r >= 16 ? 2 : 1);
      group.append(shape("text", { class: "pl-number", x, y: place.y + 4, fill: ink(part * 0.85), "fill-opacity": asleep ? 0.5 : 1, "font-size": text.length > 5 ? 9 : r >= 16 ? 11.5 : 9 }, text));
    }
    if (back && back.length === row.length && r >= 11) {
      group.append(shape("text", { class: "pl-delta", x, y: place.y + r + 14, "font-size": row.length > 6 ? 9 : 11 }, `${row.length > 4 ? "" : "δ "}${short(back[i], row.length > 6 ? 1 : 2)}`));
    }
  });
  if (back && back.length === row.length && r < 11) {
    group.append(shape("text", { class: "pl-delta", x: place.x, y: place.y + r + 14, "font-size": 11 }, deltaText(gradient)));
  }
}

/** Many units: cells in a row. */
function drawStrip(group, place, figure, ready) {
  const tile = figure.tiles[0];
  const cells = tile.levels.slice(0, tile.width);
  const wide = Math.min(place.width - 8, cells.length * 14) / cells.length;
  const left = place.x - (wide * cells.length) / 2;
  cells.forEach((level, i) => group.append(shape("rect", { x: left + i * wide, y: place.y - 13, width: wide + 0.3, height: 26, fill: ready ? tint(level / 100) : "rgb(243,240,233)" })));
  group.append(shape("rect", { class: "pl-frame", x: left, y: place.y - 13, width: wide * cells.length, height: 26, rx: 3 }));
}

/** Images and feature maps: small pictures side by side. */
function drawPictures(group, place, figure, ready) {
  const many = Math.min(PICTURES, figure.tiles.length, Math.max(1, Math.floor(place.width / 44)));
  figure.tiles.slice(0, many).forEach((tile, k) => {
    const fine = Math.min(16, Math.max(tile.width, tile.height));
    const side = 38 / fine, left = place.x + (k - (many - 1) / 2) * 44 - 19;
    for (let i = 0; i < fine; i++) {
      for (let j = 0; j < fine; j++) {
        const level = tile.levels[Math.floor((i * tile.height) / fine) * tile.width + Math.floor((j * tile.width) / fine)];
        if (ready && level) group.append(shape("rect", { x: left + j * side, y: place.y - 19 + i * side, width: side + 0.2, height: side + 0.2, fill: tint(level / 100) }));
      }
    }
    group.append(shape("rect", { class: "pl-frame", x: left, y: place.y - 19, width: 38, height: 38, rx: 3 }));
  });
}

/** Whole numbers, such as the ids of words: written side by side. */
function drawSigns(group, place, figure, ready) {
  const row = figure.numbers[0] ?? [];
  const many = Math.min(row.length, Math.max(1, Math.floor(place.width / 30)));
  const text = ready ? `${row.slice(0, many).map((v) => short(v, 2)).join("  ")}${many < figure.shape[figure.shape.length - 1] ? " …" : ""}` : "";
  group.append(shape("rect", { class: "pl-frame", x: place.x - place.width / 2 + 6, y: place.y - 13, width: place.width - 12, height: 26, rx: 13 }));
  group.append(shape("text", { class: "pl-number", x: place.x, y: place.y + 4, "font-size": 11 }, text));
}

/** The weights that a node is made with: labels beside the way into it. */
function drawWeights(view, svg, node, place) {
  const { step, state } = view;
  const width = Number(svg.getAttribute("width"));
  const high = place.y - 62;
  const shown = node.weights.slice(0, 6);
  let line = 0, x = 0;
  const labels = shown.map((name) => {
    const gradient = step.gradient(name, state.at);
    const changed = step.lines.some((l, i) => i <= state.at && l.kind === "update" && l.makes.includes(name));
    const text = `${name}${changed ? " ✓" : gradient ? " δ" : ""}`;
    const long = text.length * 6.3 + 14;
    if (x + long > Math.max(place.width, 200) && x > 0) { line += 1; x = 0; }
    const at = { name, text, long, line, x, gradient, changed };
    x += long + 6;
    return at;
  });
  const total = (k) => labels.filter((l) => l.line === k).reduce((sum, l) => sum + l.long + 6, -6);
  for (const label of labels) {
    const left = Math.max(2, Math.min(width - total(label.line) - 2, place.x - total(label.line) / 2)) + label.x;
    const top = high - 10 + (label.line - line / 2) * 21;
    const group = shape("g", {
      class: `pl-weight${known(view, node) ? "" : " pl-faint"}${label.gradient || label.changed ? " pl-blamed" : ""}`,
      "data-about": label.name, "data-node": label.name, tabindex: 0, role: "button", "aria-label": label.name, onclick: () => view.pin(label.name),
      onkeydown: (event) => { if (event.key === "Enter") view.pin(label.name); },
    });
    const figure = step.value(label.name, state.at);
    const tip = `${label.name} (${figure.shape.join(", ")})${label.gradient ? `  ${deltaText(label.gradient.figure)}` : ""}`;
    group.append(shape("rect", { x: left, y: top - 9, width: label.long, height: 18, rx: 9 }),
      shape("text", { x: left + label.long / 2, y: top + 4 }, label.text), shape("title", {}, tip));
    svg.append(group);
  }
}

function sayCard(view) {
  return make("div", { class: "pl-say", "aria-live": "polite" });
}

// ---------------------------------------------------------------------------------------- the numbers

function numbersCard(view) {
  return make("section", { class: "pl-card pl-numbers" }, make("h2", {}, view.say("numbers")), make("div", { class: "pl-figures" }));
}

/** The arrays of the current line, or of what is pinned. */
function updateNumbers(view) {
  const box = view.el.querySelector(".pl-figures");
  if (!box) return;
  const { step, state, say } = view;
  const line = step.lines[state.at];
  const parts = [];
  if (state.pinned) {
    parts.push(...pinned(view, state.pinned));
  } else if (!line) {
    for (const [name, { kind, figure }] of Object.entries(step.given)) {
      if (kind === "input" || kind === "weight") parts.push(figurePart(view, name, figure, say(kind), name));
    }
  } else {
    for (const name of line.makes) {
      const about = line.belongs[name] ?? (line.kind === "forward" ? line.about : name);
      if (name in line.before && step.kind(name) !== "memory") parts.push(figurePart(view, name, line.before[name], say("before"), about));
      parts.push(figurePart(view, name, line.after[name], name in line.before ? say("after") : "", about, "pl-made"));
    }
    const read = line.reads.filter((name) => !line.makes.includes(name) && step.value(name, state.at - 1));
    if (read.length) parts.push(make("div", { class: "pl-from" }, say("reads")));
    for (const name of read) parts.push(figurePart(view, name, step.value(name, state.at - 1), kindWord(view, name), aboutOf(view, name)));
  }
  box.replaceChildren(...parts);
}

function pinned(view, name) {
  const { step, state, say } = view;
  const node = step.node.get(name);
  const ready = !node || known(view, node);
  const parts = [];
  const value = ready ? step.value(name, state.at) : undefined;
  parts.push(value ? figurePart(view, name, value, kindWord(view, name), name, "pl-made")
    : make("p", { class: "pl-missing" }, `${name}: ${say("none_yet")}`));
  const gradient = step.gradient(name, state.at);
  if (gradient) {
    const title = gradient.engine ? say("engine_gradient") + (gradient.name ? ` (${say("same_as", { name: gradient.name })})` : "") : say("gradient");
    parts.push(figurePart(view, gradient.engine ? `δ ${name}` : gradient.name, gradient.figure, title, name));
  } else if (step.parts.includes("learn") && step.kind(name) !== "input") {
    const later = node?.gradients.length || step.gradients(name).length || node?.engine;
    parts.push(make("p", { class: "pl-missing" }, `${say("gradient")}: ${say(later ? "none_yet" : "no_gradient")}`));
  }
  return parts;
}

/** What a name is about: a gradient is about the quantity that it belongs to. */
function aboutOf(view, name) {
  for (const line of view.step.lines) if (name in line.belongs) return line.belongs[name] || name;
  return view.step.lines.find((line) => line.makes.includes(name))?.makes[0] ?? name;
}

const kindWord = (view, name) => (view.step.kind(name) ? view.say(view.step.kind(name)) : "");

/** One array: its name, its sizes, its numbers, its pictures, and what is true of all of them. */
function figurePart(view, name, figure, note, about, kind = "") {
  const { say } = view;
  const facts = [];
  const count = figure.shape.reduce((a, b) => a * b, 1);
  if (count > 1 && figure.low !== undefined) {
    facts.push(say("range", { low: short(figure.low, 4), high: short(figure.high, 4) }));
    if (figure.dtype.startsWith("float")) {
      facts.push(say("mean", { mean: short(figure.mean) }), say("std", { std: short(figure.std) }));
      if (figure.zeros > 0) facts.push(say("zeros", { zeros: short(100 * figure.zeros) }));
    }
  }
  if (figure.bad) facts.push(say("bad", { bad: figure.bad }));
  if (figure.at) facts.push(say("shown_first", { count: figure.shape.slice(0, -2).reduce((a, b) => a * b, 1) }));
  return make("figure", { class: `pl-figure ${kind}`, "data-about": about, "data-figure": name },
    make("figcaption", {}, make("b", {}, name), " ", make("span", {}, `${sizes(figure)}${note ? ` · ${note}` : ""}`)),
    figure.tiles ? tilesPart(figure) : null,
    table(figure),
    facts.length ? make("p", { class: "pl-facts" }, facts.join(" · ")) : null);
}

function table(figure) {
  const most = largest(figure);
  const rows = figure.numbers.map((row, i) => {
    const jump = i > 0 && figure.rows[i] > figure.rows[i - 1] + 1;
    const cells = row.flatMap((value, j) => {
      const gap = j > 0 && figure.columns[j] > figure.columns[j - 1] + 1 ? [make("td", { class: "pl-gap" }, "…")] : [];
      const cell = make("td", { title: `[${figure.rows[i]}, ${figure.columns[j]}] = ${value}` }, short(value));
      const part = share(value, most);
      cell.style.background = figure.dtype.startsWith("float") ? tint(part * 0.8) : "";
      cell.style.color = ink(figure.dtype.startsWith("float") ? part * 0.8 : 0);
      return [...gap, cell];
    });
    return [...(jump ? [make("tr", {}, make("td", { class: "pl-gap" }, "⋮"))] : []), make("tr", {}, ...cells)];
  });
  return make("div", { class: "pl-scroll", tabindex: 0 }, make("table", {}, make("tbody", {}, ...rows.flat())));
}

/** Pictures, a pixel for each number or the mean of several. */
function tilesPart(figure) {
  return make("div", { class: "pl-tiles" }, ...figure.tiles.map((tile) => {
    const canvas = make("canvas", { width: tile.width, height: tile.height });
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(tile.width, tile.height);
    tile.levels.forEach((level, i) => {
      const [r, g, b] = tint(level / 100).match(/\d+/g).map(Number);
      pixels.data.set([r, g, b, 255], 4 * i);
    });
    context.putImageData(pixels, 0, 0);
    const single = figure.tiles.length === 1;
    const scale = single ? Math.max(3, Math.min(14, Math.floor(300 / tile.width))) : Math.max(1, Math.floor(64 / tile.width));
    canvas.style.width = `${tile.width * scale}px`;
    canvas.style.height = `${Math.min(tile.height * scale, 220)}px`;
    return canvas;
  }));
}

// ------------------------------------------------------------------------------------------ in words

function wordsCard(view) {
  const { step, state, say } = view;
  const list = make("ol", {}, ...step.lines.map((line, i) => make("li", { "data-about": line.about, onclick: () => view.go(i) },
    make("code", {}, line.text), ...sentences(line, state.language))));
  return make("details", { class: "pl-card pl-words" }, make("summary", {}, say("words")), list);
}

export default { render };
