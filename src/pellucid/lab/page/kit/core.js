// What everything is written with: Preact, with tagged templates in place of JSX.
import { h, render, Fragment } from "preact";
import htm from "htm";

export { h, render, Fragment };
export { createContext } from "preact";
export { useContext, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
export { signal, computed, effect, useSignal, useComputed } from "@preact/signals";

export const html = htm.bind(h);
