// One store for each open vault, for as long as the window lives: answers go on while other pages are shown.
import { useEffect, useSyncExternalStore } from "react";
import type { Vault } from "@/shared/vault/vault.ts";
import { type ChatSnapshot, ChatStore, type Engine } from "./model/chat-store.ts";

const stores = new WeakMap<Vault, ChatStore>();

function storeOf(vault: Vault): ChatStore {
  const known = stores.get(vault);
  if (known) return known;
  const made = new ChatStore(vault);
  stores.set(vault, made);
  return made;
}

export function useChatStore(vault: Vault, engine: Engine | null): { store: ChatStore; snapshot: ChatSnapshot } {
  const store = storeOf(vault);
  const snapshot = useSyncExternalStore(store.subscribe, store.getSnapshot);
  useEffect(() => {
    void store.load();
  }, [store]);
  useEffect(() => store.use(engine), [store, engine]);
  return { store, snapshot };
}
