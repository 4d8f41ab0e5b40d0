import { Page } from "@/shared/ui/page.tsx";
import { ChainCard } from "./chain-card.tsx";
import { LookCard } from "./look-card.tsx";
import styles from "./settings.module.css";
import { TrustCard } from "./trust-card.tsx";

export function SettingsPage() {
  return (
    <Page title="Settings" lead="Kept in this browser and sent nowhere.">
      <div className={styles.cards}>
        <TrustCard />
      <ChainCard />
      <LookCard />
      </div>
    </Page>
  );
}
