// What the reader has met so far. It is kept in this browser and nowhere else.
const KEY = "pellucid-progress";

export function progress() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {};
  }
}

export function done(part) {
  const seen = progress();
  if (seen[part]) return;
  localStorage.setItem(KEY, JSON.stringify({ ...seen, [part]: 1 }));
}
