// Images: numbers as pixels, and a field to draw on.
import { html, useEffect, useRef } from "./core.js";
import { array, diverging } from "./format.js";

const rgb = (colour) => colour.match(/\d+/g).map(Number);
const INK = [28, 30, 34];

/** An image of numbers, sent with `binary(...)`. `signed`: blue, paper, orange; else paper to ink.
 *   size    its width in pixels of the screen
 *   most    the size that has full colour (the largest one, unless given)
 *   pick    (row, column) => ...: can be clicked */
export function Pixels({ of, signed, size = 84, most, pick, label = "" }) {
  const canvas = useRef();
  const { shape, data } = array(of);
  const [rows, columns] = shape.length === 2 ? shape : [1, data.length];
  useEffect(() => {
    Object.assign(canvas.current, { width: columns, height: rows });
    const image = new ImageData(columns, rows);
    const full = most ?? (data.reduce((a, b) => Math.max(a, Math.abs(b)), 0) || 1);
    data.forEach((value, i) => {
      const share = value / full;
      const ink = signed ? rgb(diverging(share)) : INK.map((c) => Math.round(250 - (250 - c) * Math.min(1, Math.max(0, share))));
      image.data.set([...ink, 255], 4 * i);
    });
    canvas.current.getContext("2d").putImageData(image, 0, 0);
  }, [of, signed, most]);
  const click = (event) => {
    const { left, top, width, height } = canvas.current.getBoundingClientRect();
    pick(Math.floor(((event.clientY - top) / height) * rows), Math.floor(((event.clientX - left) / width) * columns));
  };
  return html`<canvas class="pv-pixels" ref=${canvas} style=${{ width: `${size}px` }} role="img" aria-label=${label} onClick=${pick && click}></canvas>`;
}

/** A field to draw on with finger or mouse: `done` is handed rows of grey values from 0 (paper) to 1.
 *   side    how many pixels it is high and wide
 *   value   what is drawn on it, as rows; [] for nothing */
export function Draw({ side = 28, size = 196, value, done, label = "" }) {
  const canvas = useRef();
  const grey = useRef([]);
  const paint = () => {
    const image = new ImageData(side, side);
    grey.current.forEach((g, i) => image.data.set([...INK.map((c) => Math.round(255 - (255 - c) * g)), 255], 4 * i));
    canvas.current.getContext("2d").putImageData(image, 0, 0);
  };
  useEffect(() => {
    grey.current = value?.length ? value.flat() : new Array(side * side).fill(0);
    Object.assign(canvas.current, { width: side, height: side });
    paint();
  }, [value, side]);
  const draw = (event) => {
    if (!event.buttons) return;
    if (event.type === "pointerdown") canvas.current.setPointerCapture(event.pointerId);
    const { left, top, width } = canvas.current.getBoundingClientRect();
    const [x, y] = [((event.clientX - left) / width) * side - 0.5, ((event.clientY - top) / width) * side - 0.5];
    const wide = side / 20;
    for (let row = 0; row < side; row++)
      for (let column = 0; column < side; column++) {
        const ink = Math.min(1, Math.max(0, wide + 0.6 - Math.hypot(column - x, row - y)));
        const i = row * side + column;
        grey.current[i] = Math.max(grey.current[i], ink);
      }
    paint();
  };
  const rows = () => Array.from({ length: side }, (_, i) => grey.current.slice(i * side, (i + 1) * side).map((g) => Math.round(g * 255) / 255));
  return html`<canvas class="pv-pixels draw" ref=${canvas} style=${{ width: `${size}px` }} role="img" aria-label=${label}
    onPointerDown=${draw} onPointerMove=${draw} onPointerUp=${() => done(rows())}></canvas>`;
}
