// The models that the gateway lists, one card each.
import { useQuery } from "@tanstack/react-query";
import { Boxes } from "lucide-react";
import { problemOf } from "@/shared/gateway/gateway-state.tsx";
import { modelsQuery } from "@/shared/gateway/get-models.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Button, ButtonLink } from "@/shared/ui/button.tsx";
import { Page } from "@/shared/ui/page.tsx";
import { EmptyState, ErrorState, Skeleton } from "@/shared/ui/states.tsx";
import { cardModel } from "./model-facts.ts";
import styles from "./models.module.css";
import { ModelCard } from "./parts/model-card.tsx";

export function ModelsPage() {
  return (
    <Page
      title="Models"
      lead="Each model is cut by layers over machines of several organisations. Every machine proves what it runs before anyone sends it anything."
      actions={
        <ButtonLink to="/pool" kind="secondary">
          Contribute a machine
        </ButtonLink>
      }
    >
      <List />
    </Page>
  );
}

function List() {
  const { gateway, trust } = useSetup();
  const models = useQuery(modelsQuery(gateway));
  if (models.isPending) {
    return (
      <div className={styles.grid}>
        <Skeleton height={30} />
        <Skeleton height={30} className={styles.second} />
      </div>
    );
  }
  if (models.isError) {
    return (
      <ErrorState
        problem={problemOf(models.error)}
        action={<Button onClick={() => void models.refetch()}>Look again</Button>}
      />
    );
  }
  if (models.data.length === 0) {
    return (
      <EmptyState icon={<Boxes aria-hidden />} title="No models yet">
        <p>The gateway lists none. A publisher registers a model on chain; then it appears here.</p>
      </EmptyState>
    );
  }
  const known = new Set(trust?.models.values());
  const sorted = models.data.map(cardModel).sort((a, b) => Number(known.has(b.model as never)) - Number(known.has(a.model as never)) || a.name.localeCompare(b.name));
  return (
    <div className={styles.grid}>
      {sorted.map((model) => (
        <ModelCard key={model.model} model={model} />
      ))}
    </div>
  );
}
