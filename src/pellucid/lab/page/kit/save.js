// Saving: text as a file, and what is seen as a picture.

/** Hand a file to the reader: { name, type, text }, or base64 for bytes. */
export function download({ name, type, text, base64 }) {
  const content = base64 ? Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)) : text;
  give(new Blob([content], { type }), name);
}

function give(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** What is seen of an element as a page of its own: whole, offline, without scripts. */
export function page(el, name, title) {
  const copy = el.cloneNode(true);
  keep(el, copy);
  copy.querySelectorAll("button, textarea").forEach((part) => (part.matches(".try, .link") ? part.replaceWith(part.textContent) : part.remove()));
  const safe = title.replace(/[<&]/g, (c) => ({ "<": "&lt;", "&": "&amp;" })[c]);
  const text = `<!doctype html>
<html lang="${document.documentElement.lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${safe}</title><style>${rules()}</style></head><body><main>${copy.outerHTML}</main></body></html>
`;
  download({ name: `${name}.html`, type: "text/html", text });
}

/** What a copy of an element would lose: what is drawn on canvases, typed into fields. */
function keep(el, copy) {
  const drawn = el.querySelectorAll("canvas");
  copy.querySelectorAll("canvas").forEach((canvas, i) => {
    const image = new Image();
    image.src = drawn[i].toDataURL();
    image.className = canvas.className;
    image.style.cssText = `${drawn[i].style.cssText};width:${drawn[i].clientWidth}px`;
    canvas.replaceWith(image);
  });
  const typed = el.querySelectorAll("input");
  copy.querySelectorAll("input").forEach((input, i) => {
    input.setAttribute("value", typed[i].value);
    input.toggleAttribute("checked", typed[i].checked);
  });
}

/** What is seen of an element as PNG, twice as fine as on the screen. */
export async function picture(el, name) {
  const body = el.querySelector(".pv-body") ?? el;
  const { width, height } = body.getBoundingClientRect();
  const copy = body.cloneNode(true);
  keep(body, copy);
  const style = document.createElement("style");
  style.textContent = rules();
  const sheet = document.createElement("div");
  sheet.className = "pv";
  sheet.style.cssText = `width:${width}px;background:#faf8f4;padding:12px;box-sizing:content-box`;
  sheet.append(style, copy);
  const inside = new XMLSerializer().serializeToString(sheet);
  const [w, h] = [Math.ceil(width) + 24, Math.ceil(height) + 24];
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}"><foreignObject width="100%" height="100%">${inside}</foreignObject></svg>`;
  const image = new Image();
  await new Promise((done, failed) => {
    image.onload = done;
    image.onerror = failed;
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  });
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * w, height: 2 * h });
  const paper = canvas.getContext("2d");
  paper.scale(2, 2);
  paper.fillStyle = "#faf8f4";
  paper.fillRect(0, 0, w, h);
  paper.drawImage(image, 0, 0);
  canvas.toBlob((blob) => give(blob, `${name}.png`), "image/png");
}

function rules() {
  const found = [];
  for (const sheet of document.styleSheets) {
    try {
      for (const rule of sheet.cssRules) if (!/@font-face/.test(rule.cssText)) found.push(rule.cssText);
    } catch {
      // a sheet of somebody else's, in a notebook
    }
  }
  return found.join("\n");
}
