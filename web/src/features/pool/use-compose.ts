// The file for the chosen slot and the connected wallet; made anew when anything in it changes. Settings are kept in this browser.
import { useEffect, useMemo, useState } from "react";
import type { MadeFiles } from "./components/deploy-panel.tsx";
import { makeAppCompose } from "./lib/app-compose.ts";
import { type ComposeInput, composeProblem, composeYaml } from "./lib/compose.ts";

export interface ComposeSettings {
  readonly rpc: string;
  readonly advertise: string;
}

const KEY = "teetee.pool.settings";

export function useComposeSettings(
  rpc: string | null,
): [ComposeSettings, (change: Partial<ComposeSettings>) => void] {
  const [settings, setSettings] = useState<ComposeSettings>(() => ({
    rpc: rpc ?? "",
    advertise: "",
    ...kept(),
  }));
  const change = (part: Partial<ComposeSettings>) =>
    setSettings((before) => {
      const next = { ...before, ...part };
      localStorage.setItem(KEY, JSON.stringify(next));
      return next;
    });
  return [settings, change];
}

function kept(): Partial<ComposeSettings> {
  try {
    const value = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Record<string, unknown>;
    const text = (key: string) => (typeof value[key] === "string" ? { [key]: value[key] } : {});
    return { ...text("rpc"), ...text("advertise") };
  } catch {
    return {};
  }
}

export interface Compose {
  readonly files: MadeFiles | null;
  readonly problem: string | null;
}

/** null as input: no wallet or no trust file yet. */
export function useCompose(input: ComposeInput | null): Compose {
  const problem =
    input === null ? "Connect a wallet first: the file names who is paid." : composeProblem(input);
  const yaml = useMemo(
    () => (input !== null && problem === null ? composeYaml(input) : null),
    [input, problem],
  );
  const name = input === null ? "" : `teetee-${input.modelName}-slot-${input.slot}`;
  const [files, setFiles] = useState<MadeFiles | null>(null);
  useEffect(() => {
    let current = true;
    if (yaml === null) setFiles(null);
    else void makeAppCompose(name, yaml).then((app) => current && setFiles({ yaml, app }));
    return () => {
      current = false;
    };
  }, [yaml, name]);
  return { files: yaml === null ? null : files, problem };
}
