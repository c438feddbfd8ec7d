// The parts views are made of: cards, numbers, matrices.
import { html } from "./core.js";
import { diverging, fmt, inkOn, largest, num, signed } from "./format.js";
import { look, useView } from "./view.js";

/** A card with a small heading. `wide`: over the whole width. */
export function Card({ title, wide, children, note }) {
  return html`<section class=${`pv-card${wide ? " wide" : ""}`}>${title && html`<h3>${title}${note && html`<small>${note}</small>`}</h3>`}${children}</section>`;
}

/** Columns of cards: <Columns><div>cards</div><div>cards</div></Columns>. */
export const Columns = ({ children, split }) => html`<div class=${`pv-columns${split ? ` ${split}` : ""}`}>${children}</div>`;

/** One number of the Python model: <Num at="error" digits=4 />. The browser tests compare each with
 * the engine's. */
export function Num({ at, digits = 2, sign }) {
  const { shows } = useView();
  const value = look(shows, at);
  return html`<span class="num" data-at=${at} data-digits=${digits} title=${String(value)}>${sign ? signed(value, digits) : fmt(value, digits)}</span>`;
}

/** The same inside an <svg>: <Mark at="error" x=10 y=20 />. */
export function Mark({ at, digits = 2, sign, ...where }) {
  const { shows } = useView();
  const value = look(shows, at);
  return html`<text class="num" data-at=${at} data-digits=${digits} ...${where}>${sign ? signed(value, digits) : fmt(value, digits)}</text>`;
}

/** Numbers in rows and columns on the diverging map.
 *   at        the path of a list, or a list of lists
 *   rows, columns   labels
 *   column    a list stands upright
 *   scale     the size that has full colour (the largest one, unless given)
 *   edit      (row, column, value) => ...: cells can be typed into
 *   pick      (row, column) => ...: cells can be clicked
 *   lit       (row, column) => true: outlined
 *   arrows    ↑ and ↓ before the numbers: pressure on weights
 *   bare      no colours */
export function Matrix({ at, digits = 2, rows, columns, column, scale, edit, pick, lit, arrows, bare }) {
  const { shows } = useView();
  const value = look(shows, at) ?? [];
  const flat = !Array.isArray(value[0]);
  const grid = !flat ? value : column ? value.map((v) => [v]) : [value];
  const path = (i, j) => (!flat ? `${at}[${i}][${j}]` : column ? `${at}[${i}]` : `${at}[${j}]`);
  const most = scale ?? largest(value);
  return html`<div class="pv-scroll"><table class="pv-matrix">
    ${columns && html`<thead><tr>${rows && html`<th></th>`}${columns.map((c) => html`<th scope="col">${c}</th>`)}</tr></thead>`}
    <tbody>
      ${grid.map(
        (row, i) => html`<tr key=${i}>
          ${rows && html`<th scope="row">${rows[i]}</th>`}
          ${row.map((cell, j) => html`<${Cell} key=${j} value=${cell} at=${path(i, j)} digits=${digits} t=${bare ? 0 : num(cell) / most}
            lit=${lit?.(i, j)} arrows=${arrows} edit=${edit && ((v) => edit(i, j, v))} pick=${pick && (() => pick(i, j))} />`)}
        </tr>`,
      )}
    </tbody>
  </table></div>`;
}

function Cell({ value, at, digits, t, lit, arrows, edit, pick }) {
  const told = arrows ? `${num(value) > 1e-12 ? "↑" : num(value) < -1e-12 ? "↓" : "·"} ${signed(value, digits)}` : fmt(value, digits);
  const look = { background: diverging(t), color: inkOn(t) };
  const type = (event) => {
    const wanted = Number(event.target.value.replace("−", "-").replace(",", "."));
    if (event.target.value.trim() !== "" && Number.isFinite(wanted)) edit(wanted);
    else event.target.value = told;
  };
  if (edit)
    return html`<td class=${lit ? "lit" : ""} style=${look}><input class="num" data-at=${at} data-digits=${digits} value=${told} title=${String(value)} inputmode="decimal" onFocus=${(e) => e.target.select()} onChange=${type} /></td>`;
  return html`<td class=${`num${lit ? " lit" : ""}${pick ? " pick" : ""}`} style=${look} data-at=${at} data-digits=${digits} title=${String(value)} onClick=${pick}>${told}</td>`;
}
