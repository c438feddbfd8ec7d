// What a reader brings to the bench: a table, a folder of images, a text. Nothing is sent anywhere but
// to the engine, which checks it again and says why it is refused.
import { html, Num, Pixels, useState, useView } from "./kit/index.js";

const TABLE = 400_000; // bytes
const IMAGE = 20e6; // bytes
const PIXELS = 50e6;
const LEFT_BY_SYSTEMS = /^(\.|Thumbs\.db$|desktop\.ini$)/i;

/** Fills the gaps of a label: filled("# of #", 3, 7). */
const filled = (text, ...values) => values.reduce((told, value) => told.replace("#", value), text);

const Refused = ({ children }) => children && html`<p class="pv-problem" role="alert">${children}</p>`;

/** A CSV file. */
export function Table() {
  const { t, act } = useView();
  const [refused, refuse] = useState("");
  const load = async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    const text = file.size <= TABLE ? await file.text() : "";
    event.target.value = "";
    refuse(text ? "" : t("a table has at most 400 kB"));
    if (text) act("load", { text });
  };
  return html`<label class="bench-file">${t("your own CSV")}<input type="file" accept=".csv,text/csv,text/plain" onChange=${load} /></label><${Refused}>${refused}<//>`;
}

/** A folder of images: the names of its subfolders are the labels. */
export function Images() {
  const { shows, t, act } = useView();
  const [refused, refuse] = useState("");
  const [read, tell] = useState(null);
  const { images: most, side } = shows.limits;
  const load = async (event) => {
    const files = [...event.target.files].filter((file) => !LEFT_BY_SYSTEMS.test(file.name));
    event.target.value = "";
    refuse("");
    const found = files.map((file) => ({ file, path: file.webkitRelativePath.split("/") })).filter(({ path }) => path.length > 2);
    const names = [...new Set(found.map(({ path }) => path[1]))].sort();
    if (found.length > most) return refuse(filled(t("# pictures, at most #"), found.length, most));
    const grey = new Uint8Array(found.length * side * side);
    for (const [n, { file }] of found.entries()) {
      tell([n + 1, found.length]);
      const { pixels, trouble } = await small(file, side);
      if (trouble) {
        tell(null);
        return refuse(filled(t(trouble), file.name));
      }
      grey.set(pixels, n * side * side);
    }
    tell(null);
    return act("load_images", { names, kinds: found.map(({ path }) => names.indexOf(path[1])), pixels: base64(grey) });
  };
  return html`
    <label class="bench-file">${read ? filled(t("reading # of #"), ...read) : t("your own folder")}<input type="file" webkitdirectory multiple disabled=${!!read} onChange=${load} /></label>
    <p class="soft">${filled(t("a folder with a subfolder for each label"), side, side)}</p>
    <${Refused}>${refused}<//>`;
}

/** An image as a small grey square, cut out of its middle: its pixels, or what is wrong with it. */
async function small(file, side) {
  if (file.size > IMAGE) return { trouble: "# is too large" };
  const image = await createImageBitmap(file).catch(() => null);
  if (!image) return { trouble: "# is no picture" };
  const { width, height } = image;
  if (width * height > PIXELS) return { trouble: "# is too large" };
  const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const edge = Math.min(width, height);
  pen.fillStyle = "#fff"; // behind what is transparent
  pen.fillRect(0, 0, side, side);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, (width - edge) / 2, (height - edge) / 2, edge, edge, 0, 0, side, side);
  image.close();
  const { data } = pen.getImageData(0, 0, side, side);
  const pixels = Uint8Array.from({ length: side * side }, (_, i) => Math.round(0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]));
  return { pixels };
}

function base64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** A text that is pasted: lines with labels, or any text. */
export function Text({ kind }) {
  const { shows, t, act } = useView();
  const [text, write] = useState("");
  const [refused, refuse] = useState("");
  const most = shows.limits[kind];
  const asked = kind === "lines" ? t("paste lines") : filled(t("paste a text"), shows.limits.fewest);
  const load = () => {
    const long = text.length > most;
    refuse(long ? filled(t("the text has # characters, at most #"), text.length, most) : "");
    if (!long) act("load_text", { text });
  };
  return html`<textarea class="bench-text" data-own=${kind} rows="4" aria-label=${asked} placeholder=${asked} onInput=${(e) => write(e.target.value)}>${text}</textarea>
    <div class="pv-bar"><button data-do="learn" disabled=${!text.trim()} onClick=${load}>${t("learn from this")}</button></div>
    <${Refused}>${refused}<//>`;
}

/** The example as text: what is read, what occurs in it, and what the network writes after it. */
export function Read() {
  const { shows, t, act, value, recorded } = useView();
  const { read, counts, wrote, vocabulary, typed } = shows.text;
  const letters = value("task") === "letters";
  const [own, write] = useState("");
  const look = (event) => {
    event.preventDefault();
    if (own) act("line", { text: own });
  };
  return html`<p class="soft">${typed ? t("yours") : t("the example")}</p>
    <p class="bench-read">${read}</p>
    ${!letters && html`<p class="soft">${filled(t("# words it knows"), vocabulary)} ${counts.map(([word], i) => html`<span key=${word} class="bench-word">${word} <${Num} at=${`text.counts[${i}][1]`} digits=0 /></span>`)}</p>`}
    ${!recorded && html`<form class="pv-bar bench-own" onSubmit=${look}>
      <input type="text" maxlength="300" data-own="line" aria-label=${letters ? t("try a beginning") : t("try a line")} placeholder=${letters ? t("try a beginning") : t("try a line")} value=${own} onInput=${(e) => write(e.target.value)} />
      <button data-do="line" disabled=${!own}>${t("look")}</button>
      ${letters && html`<button type="button" data-do="write" disabled=${!shows.walk} onClick=${() => act("write")}>${t("let it write on")}</button>`}
    </form>`}
    ${wrote && html`<p class="bench-read wrote">${wrote}</p>`}`;
}

/** Some images of each label, as the network meets them. */
export const Gallery = () => {
  const { shows } = useView();
  return html`<div class="bench-gallery">${shows.gallery.map(({ label, images }) => html`<span key=${label} class="soft">${label}</span><${Pixels} of=${images} size=${320} most=${1} label=${label} />`)}</div>`;
};
