// An image that can be pointed at, pixel by pixel, and drawn over.
import { html, useRef } from "./core.js";
import { array } from "./format.js";
import { Pixels } from "./images.js";

/** An image as `Pixels` draws it, as wide as there is room up to `size`.
 *   over      (row, column) => ..., or (null): a pixel is pointed at
 *   drag      (row, column) => ...: while a button or finger is down
 *   children  SVG over it, in which a pixel is one unit wide */
export function Field({ of, signed, most, size = 180, over, drag, label, children }) {
  const box = useRef();
  const { shape } = array(of);
  const [rows, columns] = shape;
  const place = (event) => {
    const { left, top, width, height } = box.current.getBoundingClientRect();
    const inside = (share, count) => Math.max(0, Math.min(count - 1, Math.floor(share * count)));
    return [inside((event.clientY - top) / height, rows), inside((event.clientX - left) / width, columns)];
  };
  const move = (event) => {
    over?.(...place(event));
    if (!drag || (event.type === "pointermove" && !event.buttons)) return;
    if (event.type === "pointerdown") box.current.setPointerCapture(event.pointerId);
    drag(...place(event));
  };
  const style = { position: "relative", width: "100%", maxWidth: `${size}px`, touchAction: drag ? "none" : "auto", cursor: drag ? "move" : "crosshair" };
  return html`<div class="pv-field" ref=${box} style=${style} onPointerDown=${move} onPointerMove=${move} onPointerLeave=${() => over?.(null)}>
    <${Pixels} of=${of} signed=${signed} most=${most} size=${size} label=${label} />
    <svg viewBox=${`0 0 ${columns} ${rows}`} style=${{ position: "absolute", inset: 0, pointerEvents: "none" }} aria-hidden="true">${children}</svg>
  </div>`;
}

/** The outline of some pixels, on a Field. */
export const Outline = ({ row, column, high = 1, wide = 1, colour = "#0b6e75" }) =>
  html`<rect x=${column} y=${row} width=${wide} height=${high} fill="none" stroke=${colour} stroke-width="2" vector-effect="non-scaling-stroke" />`;
