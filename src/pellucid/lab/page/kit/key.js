// The key of a picture: what its colours mean.
import { html } from "./core.js";

/** [{ label, colour, dashed }], a line of each. */
export const Key = ({ of }) =>
  html`<div style=${{ display: "flex", flexWrap: "wrap", gap: "2px 16px", font: "13px/1.5 var(--sans)", color: "var(--read)", marginBottom: "4px" }}>
    ${of.map((c) => html`<span key=${c.label} style=${{ display: "inline-flex", alignItems: "center", gap: "6px" }}>
      <span style=${{ width: "18px", borderTop: `3px ${c.dashed ? "dashed" : "solid"} ${c.colour}` }}></span>${c.label}</span>`)}
  </div>`;
