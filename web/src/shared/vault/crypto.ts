// How the vault encrypts: one random data key (AES-256-GCM), itself encrypted under a key from a wallet's signature or a passphrase.
// WebCrypto only. docs/design/0008-pages.md, Security.
const encoder = new TextEncoder();
const decoder = new TextDecoder();

// OWASP's figure for PBKDF2 with SHA-256.
export const PBKDF2_ROUNDS = 600_000;

export interface Sealed {
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly data: ArrayBuffer;
}

export type KeySource = "wallet" | "passphrase";

// Kept in clear: what is needed to derive the outer key again, and the data key under it.
export interface VaultHeader {
  readonly owner: string;
  readonly source: KeySource;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly wrapped: Sealed;
}

export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

// What the wallet signs. It names purpose, page and salt, so that a signature given elsewhere opens nothing here.
export function unlockMessage(owner: string, salt: Uint8Array, origin: string): string {
  const hex = Array.from(salt, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [
    "TeeTee: open my conversations in this browser.",
    "",
    "This costs nothing and sends nothing. Sign it only on the page named below.",
    `Page: ${origin}`,
    `Account: ${owner.toLowerCase()}`,
    `Salt: ${hex}`,
  ].join("\n");
}

export async function outerKey(source: KeySource, secret: string, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const material = encoder.encode(secret);
  const to = { name: "AES-GCM", length: 256 };
  if (source === "passphrase") {
    const base = await crypto.subtle.importKey("raw", material, "PBKDF2", false, ["deriveKey"]);
    return crypto.subtle.deriveKey({ name: "PBKDF2", hash: "SHA-256", salt, iterations: PBKDF2_ROUNDS }, base, to, false, ["encrypt", "decrypt"]);
  }
  const base = await crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveKey"]);
  const info = encoder.encode("teetee vault v1");
  return crypto.subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt, info }, base, to, false, ["encrypt", "decrypt"]);
}

// `name` is bound in: a record cannot be put in another's place.
export async function seal(key: CryptoKey, name: string, plain: Uint8Array<ArrayBuffer>): Promise<Sealed> {
  const iv = randomBytes(12);
  const data = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: encoder.encode(name) }, key, plain);
  return { iv, data };
}

// Throws when the key or the name is another, or the bytes were changed.
export async function unseal(key: CryptoKey, name: string, sealed: Sealed): Promise<Uint8Array<ArrayBuffer>> {
  const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: sealed.iv, additionalData: encoder.encode(name) }, key, sealed.data);
  return new Uint8Array(plain);
}

export const sealText = (key: CryptoKey, name: string, text: string) => seal(key, name, encoder.encode(text));
export const unsealText = async (key: CryptoKey, name: string, sealed: Sealed) => decoder.decode(await unseal(key, name, sealed));

async function importDataKey(raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
}

const wrapName = (owner: string) => `vault key of ${owner}`;

export async function makeVaultKey(owner: string, source: KeySource, secret: string, salt: Uint8Array<ArrayBuffer>): Promise<{ header: VaultHeader; key: CryptoKey }> {
  const raw = randomBytes(32);
  const wrapped = await seal(await outerKey(source, secret, salt), wrapName(owner), raw);
  return { header: { owner, source, salt, wrapped }, key: await importDataKey(raw) };
}

// Null when the secret is not the one that made the vault.
export async function openVaultKey(header: VaultHeader, secret: string): Promise<CryptoKey | null> {
  try {
    const outer = await outerKey(header.source, secret, header.salt);
    return await importDataKey(await unseal(outer, wrapName(header.owner), header.wrapped));
  } catch {
    return null;
  }
}
