// Runs the checks of a pasted URL and holds their list; a new run, or leaving the page, stops the one before.
import { useCallback, useEffect, useRef, useState } from "react";
import type { World } from "@/shared/hosting/world.ts";
import { type CheckList, freshChecks, mayJoin } from "./lib/check-list.ts";
import { makeCheckPorts } from "./lib/make-check-ports.ts";
import { type CheckOutcome, type CheckTarget, runChecks } from "./lib/run-checks.ts";

export interface CheckRun {
  readonly list: CheckList | null;
  readonly running: boolean;
  readonly target: CheckTarget | null; // what the list is about
  readonly key: string | null; // attested; null unless every check passed
  readonly start: (world: World, target: CheckTarget) => Promise<void>;
  readonly clear: () => void;
}

interface State {
  list: CheckList | null;
  running: boolean;
  target: CheckTarget | null;
  outcome: CheckOutcome | null;
}

const NOTHING: State = { list: null, running: false, target: null, outcome: null };

export function useCheck(): CheckRun {
  const [state, setState] = useState<State>(NOTHING);
  const stop = useRef<AbortController | null>(null);
  const clear = useCallback(() => {
    stop.current?.abort();
    setState(NOTHING);
  }, []);
  useEffect(() => () => stop.current?.abort(), []);
  const start = useCallback(async (world: World, target: CheckTarget) => {
    stop.current?.abort();
    const own = new AbortController();
    stop.current = own;
    const still = (next: State) => !own.signal.aborted && setState(next);
    still({ list: freshChecks(), running: true, target, outcome: null });
    const ports = makeCheckPorts(world, target, own.signal);
    const outcome = await runChecks(target, ports, (list) =>
      still({ list, running: true, target, outcome: null }),
    );
    still({ list: outcome.list, running: false, target, outcome });
  }, []);
  const good = state.outcome !== null && mayJoin(state.outcome.list);
  const key = good ? (state.outcome?.evidence?.claims.signer ?? null) : null;
  return { list: state.list, running: state.running, target: state.target, key, start, clear };
}
