// Everything that alerts are made of, for each node: lease (chain), reachability (gateway), evidence and forecast (this page).
import { useQueries } from "@tanstack/react-query";
import { judgeNodeEvidence, parseNodeEvidence } from "@/shared/evidence/node-evidence.ts";
import { getEvidence } from "@/shared/gateway/get-history.ts";
import { modelQuery } from "@/shared/gateway/get-model.ts";
import { type ListedNode, nodeQuery } from "@/shared/gateway/get-nodes.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import type { WatchedNode } from "./lib/alerts.ts";
import { type Forecast, forecastOf } from "./lib/forecast.ts";

interface Judged {
  readonly refusal: string | null;
  readonly forecast: Forecast | null;
}

export function useWatchedNodes(nodes: readonly ListedNode[]): WatchedNode[] {
  const { gateway, trust } = useSetup();
  const details = useQueries({ queries: nodes.map((node) => nodeQuery(gateway, node.key)) });
  const leases = useQueries({ queries: nodes.map((node) => modelQuery(gateway, node.models[0] ?? "")) });
  const judged = useQueries({
    queries: nodes.map((node) => ({
      queryKey: ["watch", gateway, node.key, trust?.policyHash],
      queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Judged> => {
        const shown = parseNodeEvidence(await getEvidence(gateway, node.key, signal));
        const now = Math.floor(Date.now() / 1000);
        if (!trust) return { refusal: null, forecast: null };
        const verdict = await judgeNodeEvidence(shown, trust, now);
        const collateral = JSON.parse(new TextDecoder().decode(shown.collateral)) as {
          tcb_info: string;
          qe_identity: string;
        };
        return { refusal: verdict.ok ? null : verdict.reason, forecast: forecastOf(collateral, now) };
      },
      enabled: trust !== null && node.live,
      refetchInterval: 60_000,
    })),
  });
  return nodes.map((node, i) => ({
    key: node.key,
    slot: node.slot,
    until: node.until,
    lease: leases[i]?.data?.params.lease ?? 0,
    up: upOf(details[i]?.data?.last_seen),
    refusal: judged[i]?.data?.refusal ?? null,
    forecast: judged[i]?.data?.forecast ?? null,
  }));
}

// The gateway probes every few seconds; a minute of silence is an outage.
function upOf(lastSeen: number | null | undefined): boolean | null {
  if (lastSeen === undefined) return null;
  return lastSeen !== null && Date.now() / 1000 - lastSeen < 60;
}
