// Refuses imports that go up or sideways: app -> features -> shared, and no feature imports another.
// Usage: node tools/check-imports.mjs SRC
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const RANK = { shared: 0, features: 1, app: 2 };
const IMPORT = /(?:import|export)\s[^'"]*?from\s*["']([^"']+)["']|import\s*\(\s*["']([^"']+)["']|import\s+["']([^"']+)["']/g;

// layerOf("features/chat/page.tsx") = {rank: 1, feature: "chat"}; null outside the three folders.
export function layerOf(path) {
  const [top, second] = path.split("/");
  if (!(top in RANK)) return null;
  return { rank: RANK[top], feature: top === "features" ? second : null };
}

export function importsOf(text) {
  return [...text.matchAll(IMPORT)].map((found) => found[1] ?? found[2] ?? found[3]);
}

// The offence of one import, or null. Paths are relative to src.
export function offence(from, to) {
  const here = layerOf(from);
  const there = layerOf(to);
  if (!here || !there) return null;
  if (there.rank > here.rank) return `${from} imports ${to}: imports go app -> features -> shared`;
  if (here.feature && there.feature && here.feature !== there.feature) {
    return `${from} imports ${to}: a feature imports no other feature`;
  }
  return null;
}

export function check(src) {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => /\.tsx?$/.test(name));
  const bad = [];
  for (const file of files) {
    for (const target of importsOf(readFileSync(join(src, file), "utf8"))) {
      const to = target.startsWith("@/")
        ? target.slice(2)
        : target.startsWith(".")
          ? relative(src, resolve(src, dirname(file), target))
          : null;
      const found = to && offence(file, to);
      if (found) bad.push(found);
    }
  }
  return { files: files.length, bad };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { files, bad } = check(process.argv[2] ?? "src");
  console.log(bad.length ? bad.join("\n") : `imports: ${files} files go one way`);
  process.exit(bad.length || files === 0 ? 1 : 0);
}
