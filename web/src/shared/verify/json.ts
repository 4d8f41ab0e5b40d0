// JSON (RFC 8259) within bounds, and its canonical form (RFC 8785). Unlike JSON.parse: a repeated key is refused, and an
// integer keeps all its digits and is told apart from 4.0. Integers are bigint, every other number is number; objects
// have no prototype.
import { fromUtf8 } from "./bytes";
import { Malformed } from "./refusal";

export type Json = null | boolean | bigint | number | string | JsonArray | JsonObject;
export type JsonArray = readonly Json[];
export interface JsonObject {
  readonly [key: string]: Json;
}

export interface JsonLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
}

const defaultLimits: JsonLimits = { maxBytes: 1 << 20, maxDepth: 32 };
const minInteger = -(2n ** 63n);
const maxInteger = 2n ** 64n - 1n;

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

class JsonParser {
  private at = 0;
  private readonly text: string;
  private readonly maxDepth: number;

  constructor(text: string, maxDepth: number) {
    this.text = text;
    this.maxDepth = maxDepth;
  }

  document(): Json {
    const value = this.value(0);
    this.space();
    if (this.at !== this.text.length) throw this.bad();
    return value;
  }

  private bad(): Malformed {
    return new Malformed(`not valid JSON near offset ${this.at}`);
  }

  private space(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
      this.at++;
    }
  }

  private take(expected: string): void {
    if (!this.text.startsWith(expected, this.at)) throw this.bad();
    this.at += expected.length;
  }

  private takeIf(c: string): boolean {
    this.space();
    if (this.text[this.at] !== c) return false;
    this.at++;
    return true;
  }

  private value(depth: number): Json {
    this.space();
    switch (this.text[this.at]) {
      case "{":
        return this.object(depth + 1);
      case "[":
        return this.array(depth + 1);
      case '"':
        return this.string();
      case "t":
        this.take("true");
        return true;
      case "f":
        this.take("false");
        return false;
      case "n":
        this.take("null");
        return null;
      default:
        return this.number();
    }
  }

  private enter(depth: number): void {
    if (depth > this.maxDepth) throw new Malformed("JSON is nested too deep");
    this.at++;
  }

  private array(depth: number): JsonArray {
    this.enter(depth);
    const out: Json[] = [];
    if (this.takeIf("]")) return out;
    do out.push(this.value(depth));
    while (this.takeIf(","));
    if (!this.takeIf("]")) throw this.bad();
    return out;
  }

  private object(depth: number): JsonObject {
    this.enter(depth);
    const out: Record<string, Json> = Object.create(null);
    if (this.takeIf("}")) return out;
    do {
      this.space();
      const key = this.string();
      if (key in out) throw new Malformed("JSON object with a repeated key");
      if (!this.takeIf(":")) throw this.bad();
      out[key] = this.value(depth);
    } while (this.takeIf(","));
    if (!this.takeIf("}")) throw this.bad();
    return out;
  }

  private string(): string {
    this.take('"');
    let out = "";
    for (;;) {
      const from = this.at;
      let c = this.text.charCodeAt(this.at);
      while (c !== 0x22 && c !== 0x5c && c >= 0x20) c = this.text.charCodeAt(++this.at);
      out += this.text.slice(from, this.at);
      if (c === 0x22) break;
      if (c !== 0x5c) throw this.bad();
      out += this.escape();
    }
    this.at++;
    if (/\p{Surrogate}/u.test(out)) throw new Malformed("JSON string with half a surrogate pair");
    return out;
  }

  private escape(): string {
    const kind = this.text.charAt(this.at + 1);
    if (kind === "u") {
      const digits = this.text.slice(this.at + 2, this.at + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.bad();
      this.at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const out = escapes[kind];
    if (out === undefined || kind === "") throw this.bad();
    this.at += 2;
    return out;
  }

  private number(): bigint | number {
    const form = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;
    form.lastIndex = this.at;
    const match = form.exec(this.text);
    if (match === null || match[0] === "" || match[0].length > 1000) throw this.bad();
    this.at = form.lastIndex;
    if (match[1] === undefined && match[2] === undefined) {
      const integer = BigInt(match[0]);
      if (integer >= minInteger && integer <= maxInteger) return integer;
    }
    const out = Number(match[0]);
    if (!Number.isFinite(out)) throw this.bad();
    return out;
  }
}

export function parseJson(input: string | Uint8Array, limits: Partial<JsonLimits> = {}): Json {
  const { maxBytes, maxDepth } = { ...defaultLimits, ...limits };
  if (input.length > maxBytes) throw new Malformed(`JSON text of ${input.length} bytes, limit ${maxBytes}`);
  return new JsonParser(typeof input === "string" ? input : fromUtf8(input), maxDepth).document();
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isArray(value: Json | undefined): value is JsonArray {
  return Array.isArray(value);
}

function write(value: Json, sorted: boolean): string {
  if (isArray(value)) return `[${value.map((item) => write(item, sorted)).join(",")}]`;
  if (isObject(value)) {
    const keys = Object.keys(value);
    if (sorted) keys.sort();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${write(value[key] as Json, sorted)}`).join(",")}}`;
  }
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}

/** Compact, members as they stand. */
export function dumpJson(value: Json): string {
  return write(value, false);
}

function pretty(value: Json, indent: string): string {
  const inner = `${indent}  `;
  const wrap = (open: string, items: readonly string[], close: string) =>
    items.length === 0
      ? open + close
      : `${open}\n${items.map((item) => inner + item).join(",\n")}\n${indent}${close}`;
  if (isArray(value))
    return wrap(
      "[",
      value.map((item) => pretty(item, inner)),
      "]",
    );
  if (!isObject(value)) return dumpJson(value);
  const members = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}: ${pretty(item, inner)}`,
  );
  return wrap("{", members, "}");
}

/** Two spaces, a line feed at the end: as the C++ writes files. */
export function prettyJson(value: Json): string {
  return `${pretty(value, "")}\n`;
}

/** RFC 8785; integers keep all their digits. */
export function canonicalJson(value: Json): string {
  return write(value, true);
}

/** The value as JSON.parse would give it, for code that wants plain numbers. */
export function plainJson(value: Json): unknown {
  if (isArray(value)) return value.map(plainJson);
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainJson(item)]));
  return typeof value === "bigint" ? Number(value) : value;
}

/** The other way round: integers become bigint. Undefined members are left out. */
export function fromPlain(value: unknown): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string" || typeof value === "bigint")
    return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(fromPlain);
  if (typeof value !== "object") throw new Malformed("not a JSON value");
  const out: Record<string, Json> = Object.create(null);
  for (const [key, item] of Object.entries(value)) if (item !== undefined) out[key] = fromPlain(item);
  return out;
}
