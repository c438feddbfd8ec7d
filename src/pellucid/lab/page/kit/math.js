// Formulas, typeset by KaTeX as MathML, which browsers draw themselves: no fonts, no styles.
import katex from "katex";
import { html } from "./core.js";

/** <Formula tex="\\Delta w = -\\alpha\\,\\frac{\\partial E}{\\partial w}" /> */
export function Formula({ tex, block }) {
  const told = katex.renderToString(tex, { output: "mathml", displayMode: Boolean(block), throwOnError: false });
  return html`<span class=${block ? "pv-formula block" : "pv-formula"} dangerouslySetInnerHTML=${{ __html: told }} />`;
}
