// The browser's own database, as promises. Values are opaque here: the vault encrypts before it puts.
import type { Sealed, VaultHeader } from "./crypto.ts";

const NAME = "teetee";
const VERSION = 1;

export interface Row {
  readonly id: string; // owner/kind/name
  readonly owner: string;
  readonly kind: string;
  readonly name: string;
  readonly at: number; // milliseconds since 1970, of the last change
  readonly sealed: Sealed;
}

function promised<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's database failed"));
  });
}

export class Database {
  private readonly db: IDBDatabase;

  private constructor(db: IDBDatabase) {
    this.db = db;
  }

  static async open(): Promise<Database> {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("vaults", { keyPath: "owner" });
      request.result.createObjectStore("rows", { keyPath: "id" }).createIndex("kind", ["owner", "kind"]);
    };
    return new Database(await promised(request));
  }

  private store(name: "vaults" | "rows", mode: IDBTransactionMode): IDBObjectStore {
    return this.db.transaction(name, mode).objectStore(name);
  }

  header(owner: string): Promise<VaultHeader | undefined> {
    return promised(this.store("vaults", "readonly").get(owner));
  }
  async putHeader(header: VaultHeader): Promise<void> {
    await promised(this.store("vaults", "readwrite").put(header));
  }
  row(id: string): Promise<Row | undefined> {
    return promised(this.store("rows", "readonly").get(id));
  }
  rows(owner: string, kind: string): Promise<Row[]> {
    return promised(this.store("rows", "readonly").index("kind").getAll([owner, kind]));
  }
  async putRow(row: Row): Promise<void> {
    await promised(this.store("rows", "readwrite").put(row));
  }
  async deleteRow(id: string): Promise<void> {
    await promised(this.store("rows", "readwrite").delete(id));
  }
  // Everything of one owner, the key included: nothing of it can be read again.
  async forget(owner: string): Promise<void> {
    const both = this.db.transaction(["vaults", "rows"], "readwrite");
    const rows = both.objectStore("rows");
    for (const id of await promised(rows.getAllKeys(IDBKeyRange.bound(`${owner}/`, `${owner}0`)))) rows.delete(id);
    await promised(both.objectStore("vaults").delete(owner));
  }
  close(): void {
    this.db.close();
  }
}
