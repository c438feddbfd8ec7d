// Chapter 14: the gates of one unit over the letters of a text, all cells, and two roads back.
import { Card, Columns, Controls, diverging, fmt, html, num, Num, Plot, Say, Setting, view } from "../kit/index.js";

const CELL = 22; // pixels of a letter
const HEAD = 92;

export default view(({ shows, t, act, state }) => html`
  <${Card} wide title=${t("unit #, letter by letter").replace("#", shows.unit + 1)} note=${t("orange: open or positive; blue: negative")}>
    <div class="pv-scroll"><${Gates} shows=${shows} t=${t} /></div>
    <${Controls} settings=${["text", "bias", "lr"]}>
      <button data-do="many" disabled=${!state.can.step} onClick=${() => act("many")}>${t("fifty passes")}</button>
    <//>
    <${Say} />
  <//>
  <${Columns} split="even">
    <div>
      <${Card} title=${t("what is in the cells")} note=${t("click a unit to see its gates")}>
        <div class="pv-scroll"><${Cells} shows=${shows} t=${t} choose=${(unit) => act("choose", { unit })} /></div>
        <p class="pv-line"><span>${t("its forget gate, on average")}</span><b><${Num} at="forget" digits=3 /></b></p>
        <p class="pv-line"><span>${t("left of its cell after ten letters")}</span><b><${Num} at="kept" digits=4 /></b></p>
      <//>
      <${Card} title=${t("it writes")} note=${t("a low temperature plays safe, a high one dares")}>
        <p class="pv-code" data-text="written">${shows.written}</p>
        <div class="pv-bar settings"><${Setting} name="temperature" /></div>
      <//>
    </div>
    <div>
      <${Card} title=${t("how much blame for the last letter arrives where")} note=${t("powers of ten")}>
        <${Plot} log height=210 width=460 x=${t("letter")} label=${t("how much blame for the last letter arrives where")} curves=${[
          { x: shows.blame.lstm.map((_, i) => i + 1), y: shows.blame.lstm, label: t("through the cell") },
          { x: shows.blame.rnn.map((_, i) => i + 1), y: shows.blame.rnn, label: t("without gates") },
        ]} />
        <p class="pv-line"><span>${t("left at the first letter, through the cell")}</span><b><${Num} at="reach.lstm" digits=4 /></b></p>
        <p class="pv-line"><span>${t("left at the first letter, without gates")}</span><b><${Num} at="reach.rnn" digits=4 /></b></p>
      <//>
      <${Card} title=${t("loss of each pass")} note=${t("# of # letters right").replace("#", shows.correct).replace("#", shows.of)}>
        <${Plot} height=170 width=460 x=${t("pass")} label=${t("loss of each pass")} curves=${[
          { x: shows.losses.lstm.map((_, i) => i + 1), y: shows.losses.lstm, label: t("LSTM") },
          { x: shows.losses.rnn.map((_, i) => i + 1), y: shows.losses.rnn, label: t("without gates") },
        ]} />
      <//>
    </div>
  <//>`);

const seen = (letter) => (letter === " " ? "␣" : letter);

function Gates({ shows, t }) {
  const rows = Object.keys(shows.gates);
  const width = HEAD + shows.letters.length * CELL + 8;
  return html`<svg viewBox="0 0 ${width} ${rows.length * 24 + 78}" style=${{ width: `${Math.max(width, 520)}px` }} role="img" aria-label=${t("the gates")}>
    ${shows.letters.map((letter, i) => html`<text key=${i} x=${HEAD + i * CELL + 11} y="16" text-anchor="middle" style=${{ fontFamily: "var(--mono)" }}>${seen(letter)}</text>`)}
    ${rows.map((row, j) => html`<g key=${row}>
      <text class="soft" x=${HEAD - 8} y=${j * 24 + 42} text-anchor="end">${t(row)}</text>
      ${shows.gates[row].map((v, i) => html`<rect key=${i} x=${HEAD + i * CELL} y=${j * 24 + 26} width=${CELL - 2} height="22" rx="4" fill=${diverging(num(v))}><title>${`${seen(shows.letters[i])}  ${t(row)} ${fmt(v, 4)}`}</title></rect>`)}
    </g>`)}
    <text class="soft" x=${HEAD - 8} y=${rows.length * 24 + 46} text-anchor="end">${t("guess")}</text>
    <text class="soft" x=${HEAD - 8} y=${rows.length * 24 + 62} text-anchor="end">${t("chance of the right one")}</text>
    ${shows.guesses.map((letter, i) => html`<g key=${i}>
      <text x=${HEAD + i * CELL + 11} y=${rows.length * 24 + 46} text-anchor="middle" style=${{ fontFamily: "var(--mono)", fontWeight: letter === shows.wanted[i] ? 600 : 400, fill: letter === shows.wanted[i] ? "var(--accent)" : "var(--soft)" }}>${seen(letter)}</text>
      <rect x=${HEAD + i * CELL + 2} y=${rows.length * 24 + 55} width=${Math.max(1, (CELL - 6) * num(shows.right[i]))} height="6" rx="2" fill="var(--accent)"><title>${fmt(shows.right[i], 4)}</title></rect>
    </g>`)}
  </svg>`;
}

function Cells({ shows, t, choose }) {
  const width = 34 + shows.letters.length * 11 + 4;
  return html`<svg viewBox="0 0 ${width} ${shows.units * 17 + 20}" style=${{ width: `${width}px` }} role="img" aria-label=${t("what is in the cells")}>
    ${shows.letters.map((letter, i) => html`<text key=${i} class="soft" x=${34 + i * 11 + 5} y="12" text-anchor="middle" style=${{ fontFamily: "var(--mono)", fontSize: "11px" }}>${seen(letter)}</text>`)}
    ${shows.cells.map((row, j) => html`<g key=${j} style=${{ cursor: "pointer" }} onClick=${() => choose(j)} data-unit=${j}>
      <text x="26" y=${j * 17 + 32} text-anchor="end" style=${{ fontSize: "11px", fontWeight: j === shows.unit ? 700 : 400, fill: j === shows.unit ? "var(--accent)" : "var(--soft)" }}>${j + 1}</text>
      ${row.map((v, i) => html`<rect key=${i} x=${34 + i * 11} y=${j * 17 + 20} width="10" height="15" rx="2" fill=${diverging(num(v) / 2)}><title>${fmt(v, 4)}</title></rect>`)}
      ${j === shows.unit && html`<rect x="33" y=${j * 17 + 19} width=${row.length * 11 + 1} height="17" rx="3" fill="none" stroke="var(--accent)" stroke-width="1.6" />`}
    </g>`)}
  </svg>`;
}
