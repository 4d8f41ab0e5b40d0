// Serves a bundled module and a folder on loopback, and opens it in Debian's Chromium.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { chromium, type Page } from "playwright-core";
import { build } from "vite";

const executablePath = process.env["TEETEE_CHROMIUM"] ?? "/usr/bin/chromium";

/** Chromium is a package of tools/dev/packages.txt: where it is missing the test fails and says so. */
function expectChromium(): void {
  if (!existsSync(executablePath)) throw new Error(`no Chromium at ${executablePath}: run ./dev setup`);
}

async function bundle(entry: string): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: "error",
    build: { write: false, minify: false, lib: { entry, formats: ["es"], fileName: "bundle" }, rolldownOptions: { output: { codeSplitting: false } } },
  });
  const [result] = Array.isArray(built) ? built : [built];
  if (result === undefined || !("output" in result)) throw new Error("vite built nothing");
  return result.output[0].code;
}

function serve(script: string, folders: Readonly<Record<string, string>>): Promise<Server> {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    const [, first = "", ...rest] = path.split("/");
    const folder = folders[first];
    if (path === "/")
      response.setHeader("content-type", "text/html").end('<script type="module" src="/bundle.js"></script>');
    else if (path === "/bundle.js") response.setHeader("content-type", "text/javascript").end(script);
    else if (folder === undefined) response.writeHead(404).end();
    else response.end(await readFile(join(folder, ...rest)).catch(() => undefined));
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** Runs `use` on a page that has loaded `entry`; `folders` are served by their names. */
export async function inChromium<T>(
  entry: string,
  folders: Readonly<Record<string, string>>,
  use: (page: Page) => Promise<T>,
): Promise<T> {
  expectChromium();
  const server = await serve(await bundle(entry), folders);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { waitUntil: "load" });
    return await use(page);
  } finally {
    await browser.close();
    server.close();
  }
}
