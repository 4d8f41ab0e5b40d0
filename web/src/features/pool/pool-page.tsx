// Where hosts begin: every model with its slots; one slot with its file, checks and join.
import { useQuery } from "@tanstack/react-query";
import { Boxes } from "lucide-react";
import { useParams } from "react-router";
import { useConnection } from "wagmi";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { type ListedModel, modelsQuery } from "@/shared/gateway/get-models.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Page } from "@/shared/ui/page.tsx";
import { EmptyState } from "@/shared/ui/states.tsx";
import { type PoolFacts, poolQuery } from "./api/get-pool.ts";
import { ModelSlots } from "./components/model-slots.tsx";
import { SlotPage } from "./slot-page.tsx";

export function PoolPage() {
  const { model, slot } = useParams();
  if (model !== undefined && slot !== undefined)
    return <SlotPage key={`${model}/${slot}`} model={model} slot={slot} />;
  return <ModelsPage />;
}

function ModelsPage() {
  const { gateway } = useSetup();
  const { address } = useConnection();
  const models = useQuery(modelsQuery(gateway));
  const facts = useQuery(poolQuery(gateway));
  return (
    <Page
      title="Pool"
      lead="Give one slot of a model a home: a machine that proves what it runs, and is paid for every token it computes. Nobody who hosts can read what is asked."
    >
      <GatewayState query={models} height={14}>
        {(list) =>
          list.length === 0 ? (
            <EmptyState icon={<Boxes aria-hidden />} title="No model yet">
              <p>Nobody has registered a model on this chain, or its manifest is not known to the gateway.</p>
            </EmptyState>
          ) : (
            list.map((model) => (
              <ModelSlots
                key={model.teetee.model}
                model={model}
                wallet={address ?? null}
                expected={(slot) => expectedOf(facts.data, model, slot)}
              />
            ))
          )
        }
      </GatewayState>
    </Page>
  );
}

function expectedOf(facts: PoolFacts | undefined, model: ListedModel, slot: number): bigint | null {
  const found = facts?.expected.find((entry) => entry.model === model.teetee.model && entry.slot === slot);
  return found && found.wei_per_day > 0n ? found.wei_per_day : null;
}
