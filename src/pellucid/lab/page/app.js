// The site: contents, chapters, single views. Which page it is follows from the address.
import { html, render, useEffect, useState } from "./kit/core.js";
import { Exercises } from "./exercise.js";
import { Experiment } from "./experiment.js";
import { done, progress } from "./progress.js";
import { openView, Wire } from "./wire.js";

export const language = document.documentElement.lang;
const wire = new Wire();

function App({ contents }) {
  const [lost, lose] = useState(null);
  wire.lost = (why) => lose(why || contents.words["gone"]);
  const [, kind, what] = location.pathname.split("/");
  const t = (word) => contents.words[word] ?? contents.kit[word] ?? word;
  const shared = { contents, t, wire, language };
  return html`
    <${Header} ...${shared} number=${kind === "chapter" ? Number(what) : null} kind=${kind} what=${what} />
    ${lost !== null && html`<p class="lost" role="alert">${lost}</p>`}
    <main>
      ${kind === "chapter"
        ? html`<${Chapter} number=${Number(what)} ...${shared} />`
        : kind === "view"
          ? html`<${View} name=${what} ...${shared} />`
          : kind === "bench"
            ? html`<${View} name="bench" ...${shared} />`
            : html`<${Contents} ...${shared} />`}
    </main>`;
}

/** On a narrow screen the chapters scroll sideways: bring the current one into sight. */
const show = (el) => el && el.parentElement.scrollWidth > el.parentElement.clientWidth && (el.parentElement.scrollLeft = el.offsetLeft - 120);

function Header({ contents, t, number, kind, what }) {
  const here = (lang) => `${location.pathname}?lang=${lang}`;
  const current = contents.chapters.find((c) => c.number === number);
  return html`<header class="site">
    <a class="name" href="/">Pellucid</a>
    <nav class="chapters" aria-label=${t("chapters")}>
      ${contents.chapters.map((c) => html`<a key=${c.number} href=${`/chapter/${c.number}`} title=${c.title} class=${c === current ? "on" : ""} ref=${c === current ? show : null}>${c.number}</a>`)}
      <a href="/view/the-program" class=${what === "the-program" ? "on" : ""} ref=${what === "the-program" ? show : null}>${t("program")}</a>
      <a href="/bench" class=${kind === "bench" ? "on" : ""} ref=${kind === "bench" ? show : null}>${t("bench")}</a>
    </nav>
    <nav class="languages">
      <a href=${here("en")} lang="en" class=${language === "en" ? "on" : ""}>English</a>
      <a href=${here("zh-CN")} lang="zh-CN" class=${language === "zh-CN" ? "on" : ""}>简体中文</a>
    </nav>
  </header>`;
}

function Contents({ contents, t }) {
  useEffect(() => void (document.title = `Pellucid · ${t("the lab")}`), []);
  const [parts, count] = useState({});
  useEffect(() => void fetchJSON("/api/parts").then(count), []);
  const seen = progress();
  return html`<div class="contents">
    <h1>${t("the lab")}</h1>
    <p class="lead">${t("welcome")}</p>
    <ol>
      ${contents.chapters.map((c) => {
        const own = parts[c.number] ?? [];
        const met = own.filter((part) => seen[part]).length;
        return html`<li key=${c.number}>
          <a href=${`/chapter/${c.number}`}>
            <span class="number">${c.number}</span>
            <span class="what"><b>${c.title}</b><span>${c.lead}</span></span>
            <span class="met"><${Ring} share=${own.length ? met / own.length : 0} /><span class="num">${own.length ? `${met}/${own.length}` : ""}</span></span>
          </a>
        </li>`;
      })}
    </ol>
  </div>`;
}

function Ring({ share }) {
  const around = 2 * Math.PI * 8;
  return html`<svg class="ring" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
    <circle cx="10" cy="10" r="8" class="all" />
    <circle cx="10" cy="10" r="8" class="part" stroke-dasharray=${`${share * around} ${around}`} transform="rotate(-90 10 10)" />
  </svg>`;
}

function Chapter({ number, contents, t, wire }) {
  const [chapter, set] = useState(null);
  const [failed, fail] = useState("");
  useEffect(() => {
    fetchJSON(`/api/chapter/${number}?lang=${language}`).then(set, (error) => fail(error.message));
  }, [number]);
  useEffect(() => void (chapter && (document.title = `${number} · ${chapter.title}`)), [chapter]);
  if (failed) return html`<p class="lost">${failed}</p>`;
  if (!chapter) return null;
  const before = contents.chapters.find((c) => c.number === number - 1);
  const after = contents.chapters.find((c) => c.number === number + 1);
  return html`<div class="chapter">
    <p class="kicker">${t("chapter #").replace("#", number)}</p>
    <h1>${chapter.title}</h1>
    <p class="lead">${chapter.lead}</p>
    ${chapter.views.map((v) => html`<${View} key=${v.name} name=${v.name} t=${t} wire=${wire} />`)}
    ${chapter.experiments.length > 0 && html`<h2 class="part">${t("experiments")}</h2>`}
    ${chapter.experiments.map((e) => html`<${Experiment} key=${e.id} of=${e} t=${t} wire=${wire} language=${language} />`)}
    <${Exercises} of=${chapter.exercises} words=${chapter["from memory"]} wire=${wire} language=${language} />
    <nav class="turn">
      ${before ? html`<a href=${`/chapter/${before.number}`}>← ${before.number} ${before.title}</a>` : html`<span></span>`}
      ${after ? html`<a href=${`/chapter/${after.number}`}>${after.number} ${after.title} →</a>` : html`<span></span>`}
    </nav>
  </div>`;
}

/** A view: its module is loaded, its model opened, and the one draws the other. */
function View({ name, t, wire }) {
  const [failed, fail] = useState("");
  const place = (el) => {
    if (!el || el.dataset.open) return;
    el.dataset.open = name;
    Promise.all([import(`/static/views/${name}.js`), openView(wire, name, language)]).then(
      ([module, model]) => {
        module.default.render({ model, el });
        model.on("change:state", () => done(name));
      },
      (error) => fail(error.message),
    );
  };
  return html`<section class="view" id=${name}>${failed ? html`<p class="lost">${failed}</p>` : html`<div ref=${place}></div>`}</section>`;
}

async function fetchJSON(address) {
  const answer = await fetch(address);
  const told = await answer.json();
  if (!answer.ok) throw new Error([told.message, told.original].filter(Boolean).join("\n"));
  return told;
}

const contents = JSON.parse(document.getElementById("contents").textContent);
render(html`<${App} contents=${contents} />`, document.getElementById("page"));
