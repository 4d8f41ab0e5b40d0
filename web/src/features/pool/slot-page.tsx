// One slot from first look to joined: what it takes, the file, the checks, the transaction, and the wallet's own nodes in it.
import { useQuery } from "@tanstack/react-query";
import type { Address } from "viem";
import { useConnection, usePublicClient } from "wagmi";
import { getEarned } from "@/shared/earnings/get-ledger-events.ts";
import { expectationOf } from "@/shared/earnings/slot-revenue.ts";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { type ModelFacts, modelQuery } from "@/shared/gateway/get-model.ts";
import { type ListedNode, nodesQuery } from "@/shared/gateway/get-nodes.ts";
import { shortHash } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { ButtonLink } from "@/shared/ui/button.tsx";
import { Page } from "@/shared/ui/page.tsx";
import { ErrorState } from "@/shared/ui/states.tsx";
import { HostSteps } from "./components/host-steps.tsx";
import { SlotFacts } from "./components/slot-facts.tsx";
import { SlotNodes } from "./components/slot-nodes.tsx";
import { shapeOfSlot, slotNeeds } from "./lib/slot-needs.ts";

export function SlotPage({ model, slot }: { model: string; slot: string }) {
  const { gateway } = useSetup();
  const facts = useQuery(modelQuery(gateway, model));
  const number = /^\d{1,3}$/.test(slot) ? Number(slot) : -1;
  return (
    <Page
      title={facts.data ? `Slot ${slot} of ${facts.data.manifest.name}` : `Slot ${slot}`}
      lead={`Model ${shortHash(model, 10, 6)}. Four steps: look, start, check, join.`}
      actions={<ButtonLink to="/pool">All slots</ButtonLink>}
    >
      <GatewayState query={facts} height={18}>
        {(data) =>
          shapeOfSlot(data.manifest, number) === null ? (
            <NoSlot slots={data.params.slots.length} />
          ) : (
            <Slot facts={data} slot={number} />
          )
        }
      </GatewayState>
    </Page>
  );
}

function NoSlot({ slots }: { slots: number }) {
  const problem = {
    message: "This model has no such slot.",
    cause: `Its slots are 0 to ${slots - 1}.`,
    next: "Choose one from the pool.",
  };
  return <ErrorState kind="refused" problem={problem} action={<ButtonLink to="/pool">Pool</ButtonLink>} />;
}

function Slot({ facts, slot }: { facts: ModelFacts; slot: number }) {
  const { gateway } = useSetup();
  const { address } = useConnection();
  const nodes = useQuery(nodesQuery(gateway, facts.id));
  const inSlot = (nodes.data ?? []).filter((node) => node.slot === slot);
  const own = inSlot.filter((node) => node.host === address?.toLowerCase());
  const live = inSlot.filter((node) => node.live).length;
  const earned = useExpectation(inSlot, live);
  const expectation = nodes.data ? earned : undefined;
  const shape = shapeOfSlot(facts.manifest, slot);
  if (!shape) return null;
  const shares = facts.params.slots.map((entry) => entry.share);
  const share = (shares[slot] ?? 0) / shares.reduce((sum, part) => sum + part, 0);
  return (
    <>
      <SlotFacts
        needs={slotNeeds(shape)}
        share={share}
        priceIn={facts.params.price_in}
        priceOut={facts.params.price_out}
        liveNodes={live}
        expectation={expectation}
        leaseHours={facts.params.lease / 3600}
      />
      <SlotNodes query={nodes} slot={slot} wallet={address ?? null} />
      <HostSteps facts={facts} slot={slot} own={own} shape={shape} />
    </>
  );
}

// Income of the slot's nodes in the last week, by the user's own RPC; undefined while that has not answered.
function useExpectation(nodes: readonly ListedNode[], live: number) {
  const { ledger, config, chainId } = useSetup();
  const client = usePublicClient({ chainId });
  const keys = nodes.map((node) => node.key as Address).sort();
  const earned = useQuery({
    queryKey: ["chain", "earned", ledger, keys],
    queryFn: () =>
      getEarned({ client: client as NonNullable<typeof client>, ledger, fromBlock: config.fromBlock }, keys),
    enabled: client !== undefined && keys.length > 0,
    refetchInterval: 15_000,
  });
  if (keys.length > 0 && !earned.data) return undefined;
  return expectationOf(earned.data ?? [], live, Math.floor(Date.now() / 1000));
}
