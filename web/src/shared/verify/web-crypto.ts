// The browser's cryptography, which is there in secure contexts only: https, or a page from loopback.
import { Malformed } from "./refusal";

export function hasWebCrypto(): boolean {
  return globalThis.crypto?.subtle !== undefined;
}

/** Throws Malformed where there is none, in words that say what to do. */
export function subtle(): SubtleCrypto {
  if (!hasWebCrypto()) {
    throw new Malformed(
      "this browser offers no cryptography here: open the page by https, or from loopback (teetee web)",
    );
  }
  return crypto.subtle;
}
