// Compose hashes of the files that this browser made, per model, slot and wallet: the check later compares the node's quote with them.

const KEY = "teetee.pool.composes";
const MOST = 20;

type Kept = Record<string, string[]>;

export function composeSlotKey(model: string, slot: number, host: string): string {
  return `${model.toLowerCase()}/${slot}/${host.toLowerCase()}`;
}

export function keptComposes(key: string, storage: Storage = localStorage): string[] {
  return read(storage)[key] ?? [];
}

// Newest first; kept when a file is copied or downloaded, so that browsing keeps nothing.
export function keepCompose(key: string, hash: string, storage: Storage = localStorage): void {
  const all = read(storage);
  all[key] = [hash, ...(all[key] ?? []).filter((kept) => kept !== hash)].slice(0, MOST);
  storage.setItem(KEY, JSON.stringify(all));
}

function read(storage: Storage): Kept {
  try {
    const value: unknown = JSON.parse(storage.getItem(KEY) ?? "{}");
    return typeof value === "object" && value !== null ? (value as Kept) : {};
  } catch {
    return {};
  }
}
