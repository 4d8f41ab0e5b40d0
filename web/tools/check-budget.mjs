// Adds up what a first visit loads (the page, its scripts, styles and fonts, without what is loaded on demand) and refuses more than
// the budget; refuses inline scripts and styles in the page. Usage: node tools/check-budget.mjs dist
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 250_000;
// What `/` shows; loaded on demand, but on a first visit at once.
const LANDING = "src/features/models/models-page.tsx";

// The files that the entry needs at once: its chunk, what that imports statically, their styles and assets.
export function firstLoad(manifest) {
  const files = new Set();
  const visit = (key) => {
    const chunk = manifest[key];
    if (!chunk || files.has(chunk.file)) return;
    for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
    for (const next of chunk.imports ?? []) visit(next);
  };
  for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry || key === LANDING) visit(key);
  return [...files];
}

// The fonts that the styles name for Latin text; browsers fetch the others only for other scripts.
export function fontsOf(css) {
  return [...css.matchAll(/url\(([^)]+-latin-wght-normal[^)]*\.woff2)\)/g)].map((found) => found[1].replace(/^\//, ""));
}

export function inlineParts(html) {
  const scripts = [...html.matchAll(/<script\b([^>]*)>([\s\S]*?)<\/script>/g)].filter((found) => !/\bsrc=/.test(found[1]));
  const styles = html.match(/<style\b|\sstyle=|\son[a-z]+=/g) ?? [];
  return [...scripts.map((found) => found[0]), ...styles];
}

function main(dist) {
  const html = readFileSync(join(dist, "index.html"), "utf8");
  const manifest = JSON.parse(readFileSync(join(dist, "build-manifest.json"), "utf8"));
  const files = ["index.html", ...firstLoad(manifest)];
  for (const css of files.filter((file) => file.endsWith(".css"))) {
    files.push(...new Set(fontsOf(readFileSync(join(dist, css), "utf8"))));
  }
  let total = 0;
  for (const file of files) {
    const bytes = readFileSync(join(dist, file));
    const size = file.endsWith(".woff2") ? bytes.length : gzipSync(bytes).length;
    total += size;
    console.log(`${String(size).padStart(8)}  ${file}`);
  }
  const inline = inlineParts(html);
  for (const part of inline) console.log(`inline: ${part}`);
  console.log(`first load: ${total} bytes gzipped of ${BUDGET_BYTES}`);
  return total <= BUDGET_BYTES && inline.length === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) process.exit(main(process.argv[2] ?? "dist"));
