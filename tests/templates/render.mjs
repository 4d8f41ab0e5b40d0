// Renders every template with every context of cases.json by @huggingface/jinja and prints one JSON array of
// {name, template, context, expected} or {..., fails: true}; beyond: true where only our engine renders. The C++ test ChatTemplateReference renders the same and compares.
// usage: node render.mjs [--templates FOLDER] [--gguf FILE]... > expected.json
import { closeSync, openSync, readFileSync, readSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { Template } from "@huggingface/jinja";

const cases = JSON.parse(readFileSync(new URL("cases.json", import.meta.url)));

// strftime_now reads the clock: it stands still at cases.now (seconds UTC), and months are English.
const RealDate = Date;
const RealFormat = Intl.DateTimeFormat;
process.env.TZ = "UTC";
globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length ? args : [cases.now * 1000]));
  }
};
Intl.DateTimeFormat = function (_locale, options) {
  return new RealFormat("en-US", { ...options, timeZone: "UTC" });
};

// The string under the key tokenizer.chat_template in the head of a GGUF file.
function templateOfGguf(path) {
  const head = Buffer.alloc(16 << 20);
  const file = openSync(path, "r");
  const size = readSync(file, head, 0, head.length, 0);
  closeSync(file);
  const key = "tokenizer.chat_template";
  const at = head.subarray(0, size).indexOf(key) + key.length;
  if (at < key.length) throw new Error(`${basename(path)}: no chat template`);
  const length = Number(head.readBigUInt64LE(at + 4));
  return head.subarray(at + 12, at + 12 + length).toString("utf8");
}

function templates(args) {
  const out = [];
  for (let i = 0; i < args.length; i += 2) {
    if (args[i] === "--templates") {
      for (const name of readdirSync(args[i + 1]).filter((n) => n.endsWith(".jinja")).sort()) {
        out.push({ name, source: readFileSync(join(args[i + 1], name), "utf8") });
      }
    } else if (args[i] === "--gguf") {
      out.push({ name: basename(args[i + 1]), source: templateOfGguf(args[i + 1]) });
    } else {
      throw new Error("usage: node render.mjs [--templates FOLDER] [--gguf FILE]...");
    }
  }
  return out;
}

function render(name, template, context) {
  try {
    return { name, template, context, expected: new Template(template).render(context) };
  } catch {
    return { name, template, context, fails: true, beyond: cases.beyond_reference.includes(name) };
  }
}

const out = [];
for (const { name, source } of templates(process.argv.slice(2))) {
  for (const [label, context] of Object.entries(cases.contexts)) {
    out.push(render(`${name}: ${label}`, source, { ...cases.common, ...context }));
  }
}
for (const [i, snippet] of cases.snippets.entries()) {
  out.push(render(`snippet ${i}`, snippet, { ...cases.common, ...cases.snippet_context }));
}
console.log(JSON.stringify({ now: cases.now, cases: out }));
