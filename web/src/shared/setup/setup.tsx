// What every page stands on: the config of whoever serves the page, and the trust file of its user. With a trust file, chain and contracts
// are the trust file's; without one they are only the server's word, and nothing counts as verified.
import { createContext, type ReactNode, useContext, useMemo, useState } from "react";
import type { Address } from "viem";
import { parseTrustFile, type TrustFile, type TrustFileResult } from "../verify/trust-file.ts";
import type { PageConfig } from "./get-config.ts";

const TRUST_KEY = "teetee.trust";
const RPC_KEY = "teetee.rpc";

export type TrustSource = "web" | "imported";

export interface Setup {
  readonly config: PageConfig;
  readonly gateway: string;
  readonly rpc: string | null;
  readonly trust: TrustFile | null;
  readonly trustSource: TrustSource | null;
  // Why the trust file of the server or the kept one is not used.
  readonly trustProblem: string | null;
  readonly simulated: boolean;
  readonly chainId: number;
  readonly registry: Address;
  readonly ledger: Address;
  // Checks and keeps a trust file; answers what is wrong with it.
  readonly importTrust: (text: string) => string | null;
  readonly forgetTrust: () => void;
  readonly setRpc: (url: string | null) => void;
}

const Context = createContext<Setup | null>(null);

export function useSetup(): Setup {
  const setup = useContext(Context);
  if (!setup) throw new Error("useSetup outside of SetupProvider");
  return setup;
}

interface Kept {
  trust: string | null;
  rpc: string | null;
}

export function makeSetup(config: PageConfig, kept: Kept): Omit<Setup, "importTrust" | "forgetTrust" | "setRpc"> {
  const text = kept.trust ?? config.trustText;
  const read: TrustFileResult | null = text === null ? null : parseTrustFile(text);
  const trust = read?.ok ? read.value : null;
  return {
    config,
    gateway: config.gateway,
    rpc: kept.rpc ?? config.rpc,
    trust,
    trustSource: trust ? (kept.trust ? "imported" : "web") : null,
    trustProblem: read && !read.ok ? read.problem : null,
    simulated: trust?.evidenceClass === "simulated",
    chainId: trust ? Number(trust.chainId) : config.chainId,
    registry: trust ? (trust.registry as Address) : config.registry,
    ledger: trust ? (trust.ledger as Address) : config.ledger,
  };
}

export function SetupProvider({ config, children }: { config: PageConfig; children: ReactNode }) {
  const [kept, setKept] = useState<Kept>(() => ({ trust: localStorage.getItem(TRUST_KEY), rpc: localStorage.getItem(RPC_KEY) }));
  const setup = useMemo<Setup>(() => {
    const keep = (key: string, name: keyof Kept, value: string | null) => {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
      setKept((before) => ({ ...before, [name]: value }));
    };
    return {
      ...makeSetup(config, kept),
      importTrust: (text) => {
        const read = parseTrustFile(text);
        if (!read.ok) return read.problem;
        keep(TRUST_KEY, "trust", text);
        return null;
      },
      forgetTrust: () => keep(TRUST_KEY, "trust", null),
      setRpc: (url) => keep(RPC_KEY, "rpc", url),
    };
  }, [config, kept]);
  return <Context value={setup}>{children}</Context>;
}
