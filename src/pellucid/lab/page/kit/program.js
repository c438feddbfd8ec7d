// A program, line by line, with what each line came to.
import { html } from "./core.js";
import { fmt } from "./format.js";
import { Num } from "./parts.js";

/** Lines of code: [{ code, value, note, state }]. `at` is the path of the list in `shows`.
 *   state     "now" for the line that is being done, "ahead" for those to come
 *   value     a number, a list of a few, or words such as a shape
 *   point     (index) => ...: a line is pointed at, or null */
export function Lines({ lines, at, digits = 4, point }) {
  return html`<div onPointerLeave=${point && (() => point(null))}>
    ${lines.map((line, i) => {
      const below = line.state === "now" && Array.isArray(line.value) && line.value.length > 2;
      return html`<div key=${i} class=${`pv-line ${line.code.trim().startsWith("#") ? "comment" : (line.state ?? "")}`} onPointerEnter=${point && (() => point(i))}>
      <span>${line.code}</span><b title=${Array.isArray(line.value) ? line.value.join(", ") : ""}>${line.state !== "ahead" && !below && html`<${Came} of=${line.value} at=${`${at}[${i}].value`} digits=${digits} />`}</b>
    </div>${below && html`<div class="pv-came">${`(${line.value.map((v) => fmt(v, digits)).join(", ")})`}</div>`}`;
    })}
  </div>`;
}

function Came({ of, at, digits }) {
  if (of === undefined || of === null) return "";
  if (Array.isArray(of)) return `(${of.map((v) => fmt(v)).join(", ")})`;
  if (typeof of === "string" && !["inf", "-inf", "nan"].includes(of)) return of;
  return html`<${Num} at=${at} digits=${digits} />`;
}
