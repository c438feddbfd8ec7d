// Everything a view is made of. Formulas are apart (kit/math.js): KaTeX is large, and not all need it.
export * from "./core.js";
export * from "./format.js";
export * from "./view.js";
export * from "./parts.js";
export * from "./plot.js";
export * from "./images.js";
export * from "./program.js";
