// What a person keeps in this browser (conversations, receipts, session keys), encrypted at rest. One vault for each wallet address.
import { type KeySource, makeVaultKey, openVaultKey, randomBytes, sealText, unlockMessage, unsealText, type VaultHeader } from "./crypto.ts";
import { Database } from "./database.ts";

export type Kind = "conversation" | "bundle" | "pending" | "line" | "access" | "session";

export interface Kept {
  readonly name: string;
  readonly at: number;
  readonly text: string;
}

export class Vault {
  readonly owner: string;
  private readonly db: Database;
  private readonly key: CryptoKey;

  constructor(owner: string, db: Database, key: CryptoKey) {
    this.owner = owner;
    this.db = db;
    this.key = key;
  }

  private id(kind: Kind, name: string): string {
    return `${this.owner}/${kind}/${name}`;
  }

  async put(kind: Kind, name: string, text: string): Promise<void> {
    const id = this.id(kind, name);
    await this.db.putRow({ id, owner: this.owner, kind, name, at: Date.now(), sealed: await sealText(this.key, id, text) });
  }

  async get(kind: Kind, name: string): Promise<string | undefined> {
    const id = this.id(kind, name);
    const row = await this.db.row(id);
    return row && unsealText(this.key, id, row.sealed);
  }

  // What cannot be opened (changed on disk) is left out.
  async all(kind: Kind): Promise<Kept[]> {
    const rows = await this.db.rows(this.owner, kind);
    const opened = await Promise.all(
      rows.map(async ({ id, name, at, sealed }) => {
        const text = await unsealText(this.key, id, sealed).catch(() => undefined);
        return text === undefined ? [] : [{ name, at, text }];
      }),
    );
    return opened.flat();
  }

  async delete(kind: Kind, name: string): Promise<void> {
    await this.db.deleteRow(this.id(kind, name));
  }
}

export type VaultState = { readonly exists: false } | { readonly exists: true; readonly source: KeySource };

// Answers a signature of the message by the owner's wallet; throws what the wallet throws.
export type SignMessage = (message: string) => Promise<string>;

export class VaultOpener {
  readonly owner: string;
  private readonly origin: string;

  constructor(owner: string, origin: string) {
    this.owner = owner.toLowerCase();
    this.origin = origin;
  }

  async state(): Promise<VaultState> {
    const header = await (await Database.open()).header(this.owner);
    return header ? { exists: true, source: header.source } : { exists: false };
  }

  async withWallet(sign: SignMessage): Promise<Vault | null> {
    return this.open("wallet", async (salt) => sign(unlockMessage(this.owner, salt, this.origin)));
  }

  async withPassphrase(passphrase: string): Promise<Vault | null> {
    return this.open("passphrase", async () => passphrase);
  }

  async forget(): Promise<void> {
    await (await Database.open()).forget(this.owner);
  }

  // Makes the vault when there is none. Null: the secret is not the one that made it.
  private async open(source: KeySource, secretFor: (salt: Uint8Array<ArrayBuffer>) => Promise<string>): Promise<Vault | null> {
    const db = await Database.open();
    const header = await db.header(this.owner);
    const salt = header?.salt ?? randomBytes(32);
    const secret = await secretFor(salt);
    const key = header ? await openVaultKey(header, secret) : await this.make(db, source, secret, salt);
    return key && new Vault(this.owner, db, key);
  }

  private async make(db: Database, source: KeySource, secret: string, salt: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
    const { header, key } = await makeVaultKey(this.owner, source, secret, salt);
    await db.putHeader(header);
    return key;
  }
}

export type { KeySource, VaultHeader };
