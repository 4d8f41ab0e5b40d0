// app-compose.json of dstack, and its hash. The bytes are compact with sorted keys, so that SHA-256 of the file and the hash that dstack's
// tools compute from its fields are the same. A quote shows the hash in MRCONFIGID as 01 || hash || 15 zero bytes.

export interface AppCompose {
  readonly text: string;
  readonly hash: string; // 64 hex digits
  readonly mrConfigId: string; // 96 hex digits
}

export function appComposeText(name: string, dockerCompose: string): string {
  const fields: Record<string, unknown> = {
    allowed_envs: [],
    docker_compose_file: dockerCompose,
    gateway_enabled: true,
    key_provider: "kms",
    key_provider_id: "",
    kms_enabled: true,
    local_key_provider_enabled: false,
    manifest_version: 2,
    name: appName(name),
    no_instance_id: false,
    public_logs: false,
    public_sysinfo: false,
    public_tcbinfo: true,
    runner: "docker-compose",
    secure_time: true,
  };
  return JSON.stringify(
    Object.fromEntries(
      Object.keys(fields)
        .sort()
        .map((key) => [key, fields[key]]),
    ),
  );
}

export function appName(name: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return plain.slice(0, 60) || "teetee-node";
}

export async function makeAppCompose(name: string, dockerCompose: string): Promise<AppCompose> {
  const text = appComposeText(name, dockerCompose);
  const hash = await composeHash(text);
  return { text, hash, mrConfigId: mrConfigIdOf(hash) };
}

export async function composeHash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function mrConfigIdOf(hash: string): string {
  return `01${hash}${"00".repeat(15)}`;
}

export type ComposeVerdict =
  | { readonly kind: "equal"; readonly hash: string }
  | { readonly kind: "not-measured" }
  | { readonly kind: "other"; readonly found: string };

// mrConfigId: 96 hex digits of a quote. expected: what this page generated.
export function judgeMrConfigId(mrConfigId: string, expected: string): ComposeVerdict {
  const found = mrConfigId.toLowerCase().replace(/^0x/, "");
  if (/^0+$/.test(found)) return { kind: "not-measured" };
  if (found === mrConfigIdOf(expected.toLowerCase())) return { kind: "equal", hash: expected };
  return { kind: "other", found };
}
