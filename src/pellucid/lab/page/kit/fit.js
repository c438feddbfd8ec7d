// Pictures as wide as the room they have, so that their letters stay as large on a phone; and their key.
import { html, useEffect, useRef, useState } from "./core.js";

/** Hands on how many pixels wide it is: <Fit>${(width) => html`<${Plot} width=${width} ... />`}<//>. */
export function Fit({ most = 640, children }) {
  const box = useRef();
  const [width, set] = useState(0);
  useEffect(() => {
    const measure = () => set(Math.min(most, Math.max(240, Math.round(box.current.clientWidth))));
    const watch = new ResizeObserver(measure);
    watch.observe(box.current);
    measure();
    return () => watch.disconnect();
  }, [most]);
  return html`<div ref=${box} style=${{ minWidth: 0, maxWidth: `${most}px` }}>${width > 0 && children(width)}</div>`;
}

/** What the colours of curves mean: [{ label, colour, dashed }]. */
export const Key = ({ of }) =>
  html`<div style=${{ display: "flex", flexWrap: "wrap", gap: "2px 16px", font: "13px/1.5 var(--sans)", color: "var(--read)", marginBottom: "4px" }}>
    ${of.map((c) => html`<span key=${c.label} style=${{ display: "inline-flex", alignItems: "center", gap: "6px" }}>
      <span style=${{ width: "18px", borderTop: `3px ${c.dashed ? "dashed" : "solid"} ${c.colour}` }}></span>${c.label}</span>`)}
  </div>`;
