// The open vault of the connected wallet, for every page of this window. The key is only in memory: after a reload it is opened anew.
import { createContext, type ReactNode, useContext, useMemo, useState } from "react";
import { useConnection } from "wagmi";
import { type Vault, VaultOpener } from "./vault.ts";

export interface OpenVault {
  // Null while nobody opened it, or no wallet is connected.
  readonly vault: Vault | null;
  readonly opener: VaultOpener | null;
  readonly opened: (vault: Vault) => void;
  readonly lock: () => void;
}

const Context = createContext<OpenVault | null>(null);

export function useVault(): OpenVault {
  const found = useContext(Context);
  if (!found) throw new Error("useVault outside of VaultProvider");
  return found;
}

export function VaultProvider({ children }: { children: ReactNode }) {
  const { address } = useConnection();
  const owner = address?.toLowerCase();
  const [open, setOpen] = useState<Vault | null>(null);
  const value = useMemo<OpenVault>(
    () => ({
      vault: open && open.owner === owner ? open : null,
      opener: owner ? new VaultOpener(owner, location.origin) : null,
      opened: setOpen,
      lock: () => setOpen(null),
    }),
    [open, owner],
  );
  return <Context value={value}>{children}</Context>;
}
