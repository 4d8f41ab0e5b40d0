// What a person may mean by the text in the search box, and the page that shows it. The gateway's search only adds what it knows.

export type Kind = "receipt" | "query" | "address" | "node" | "model" | "batch";

export interface Match {
  readonly kind: Kind;
  readonly id: string;
  readonly title: string;
}

export type SearchText =
  | { readonly shape: "empty" }
  | { readonly shape: "hash"; readonly value: string }
  | { readonly shape: "address"; readonly value: string }
  | { readonly shape: "text"; readonly value: string }
  | { readonly shape: "refused"; readonly reason: string };

const MAX_LENGTH = 256;

export function readSearch(input: string): SearchText {
  const text = input.trim();
  if (text === "") return { shape: "empty" };
  if (text.length > MAX_LENGTH)
    return { shape: "refused", reason: "That is too long for anything that could be found here." };
  const hex = /^(0x)?([0-9a-fA-F]+)$/.exec(text);
  if (hex?.[2]) {
    if (hex[2].length === 64) return { shape: "hash", value: `0x${hex[2].toLowerCase()}` };
    if (hex[2].length === 40) return { shape: "address", value: `0x${hex[2].toLowerCase()}` };
    if (hex[1])
      return {
        shape: "refused",
        reason: `This has ${hex[2].length} hex digits. Addresses have 40, hashes and ids have 64.`,
      };
  }
  return { shape: "text", value: text };
}

export function pathOf(kind: Kind, id: string): string {
  return `/explorer/${kind}/${encodeURIComponent(id)}`;
}

// Where the text leads if nobody else can say: tried in this order.
export function guesses(text: SearchText): Match[] {
  switch (text.shape) {
    case "hash":
      return [
        { kind: "receipt", id: text.value, title: "Receipt with this hash" },
        { kind: "query", id: text.value, title: "Query with this id" },
        { kind: "batch", id: text.value, title: "Batch with this root" },
        { kind: "model", id: text.value, title: "Model with this id" },
      ];
    case "address":
      return [
        { kind: "node", id: text.value, title: "Node with this key" },
        { kind: "address", id: text.value, title: "Wallet" },
      ];
    default:
      return [];
  }
}

export function isHash(text: string): text is `0x${string}` {
  return /^0x[0-9a-f]{64}$/.test(text);
}

export function isNodeKey(text: string): text is `0x${string}` {
  return /^0x[0-9a-f]{40}$/.test(text);
}
