// Bundles the page: `node build.mjs OUT`. One file for the site, and one for each view, which is whole
// in itself: the same file is loaded by the site, by notebooks (anywidget) and by saved pages.
import { build } from "esbuild";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
const common = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none", // all licences stand in THIRD-PARTY.txt
  loader: { ".woff2": "file" },
  logLevel: "warning",
};

const views = readdirSync(join(here, "views")).filter((name) => name.endsWith(".js"));
await build({ ...common, entryPoints: ["app.js", "standalone.js"], outdir: out });
await build({ ...common, entryPoints: ["page.css", "kit/view.css"], outdir: out, outbase: here, assetNames: "fonts/[name]", entryNames: "[name]" });
await build({ ...common, entryPoints: views.map((name) => `views/${name}`), outdir: join(out, "views") });

// The licences of everything that went into the bundles.
const lock = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8"));
const parts = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  if (!path || entry.dev) continue;
  const folder = join(here, path);
  const file = existsSync(folder) && readdirSync(folder).find((name) => /^(licen[cs]e|copying)/i.test(name));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : entry.license;
  parts.push(`${path.replace(/^.*node_modules\//, "")} ${entry.version} (${entry.license})\n\n${text}\n`);
}
writeFileSync(join(out, "THIRD-PARTY.txt"), parts.join(`\n${"-".repeat(78)}\n\n`));
