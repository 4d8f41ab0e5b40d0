// One join or renewal at a time, with its steps.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { useConfig } from "wagmi";
import { type JoinRequest, type JoinStep, runJoin } from "./join.ts";
import { makeJoinPorts } from "./make-join-ports.ts";
import type { World } from "./world.ts";

export interface JoinRun {
  readonly steps: readonly JoinStep[];
  readonly running: boolean;
  readonly done: boolean;
  readonly tx: string | null;
  readonly node: string | null; // key that it is about
  readonly start: (world: World, request: JoinRequest) => Promise<void>;
}

export function useJoin(): JoinRun {
  const wallet = useConfig();
  const queries = useQueryClient();
  const [state, setState] = useState<Omit<JoinRun, "start">>({
    steps: [],
    running: false,
    done: false,
    tx: null,
    node: null,
  });
  const start = useCallback(
    async (world: World, request: JoinRequest) => {
      const node = request.key;
      const publish = (steps: readonly JoinStep[]) =>
        setState({ steps, running: true, done: false, tx: null, node });
      const result = await runJoin(request, makeJoinPorts(world, request, wallet), publish);
      setState({ steps: result.steps, running: false, done: result.ok, tx: result.tx, node });
      await queries.invalidateQueries();
    },
    [wallet, queries],
  );
  return { ...state, start };
}
