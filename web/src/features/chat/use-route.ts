// The verified route to a model, renewed before it is a minute old.
import { useQuery } from "@tanstack/react-query";
import { makeRoute, type RouteResult } from "@/shared/client/route.ts";
import type { Client } from "./use-client.ts";

const RENEW_MS = 55_000;

export function useRoute(client: Client | null, model: string) {
  return useQuery<RouteResult>({
    queryKey: ["route", client?.gateway.url, client?.trust.policyHash, model],
    enabled: client !== null && model !== "",
    staleTime: RENEW_MS,
    refetchInterval: ({ state }) => (state.data?.ok === false ? 8_000 : RENEW_MS),
    structuralSharing: false,
    retry: false,
    queryFn: async () => {
      if (!client) throw new Error("no trust file");
      const result = await makeRoute(client.routes.sources, model);
      if (result.ok) client.routes.put(result.route);
      return result;
    },
  });
}
