// How the next question is paid, and what is there to pay with.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useCredits, useHostUntil } from "@/shared/chain/reads.ts";
import type { Route } from "@/shared/client/route.ts";
import type { Tabs } from "@/shared/client/tabs.ts";
import { ethPerMillion } from "@/shared/lib/amount.ts";
import { formatTime } from "@/shared/lib/format.ts";
import { Amount } from "@/shared/ui/amount.tsx";
import { Button } from "@/shared/ui/button.tsx";
import { Dialog, DialogActions } from "@/shared/ui/dialog.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { NotYet } from "@/shared/ui/states.tsx";
import { useWalletDialogs } from "@/shared/wallet/wallet-context.tsx";
import type { PayMode } from "../model/conversation.ts";
import styles from "./pay-bar.module.css";
import { TabPanel } from "./tab-panel.tsx";

export interface PayBarProps {
  mode: PayMode;
  route: Route | null;
  tabs: Tabs | null;
  onMode: (mode: PayMode) => void;
}

const NAMES: Record<PayMode, string> = { tab: "Tab", strict: "Each question on chain", free: "Free, as a host" };

function useTabStatus(tabs: Tabs | null, route: Route | null) {
  const head = route?.plan.nodes[0]?.key;
  return useQuery({
    queryKey: ["tab", tabs?.user, route?.model, head],
    enabled: tabs !== null && route !== null && head !== undefined,
    refetchInterval: 5_000,
    queryFn: () => (tabs && route && head ? tabs.status(route.model, head) : null),
  });
}

export function PayBar({ mode, route, tabs, onMode }: PayBarProps) {
  const [open, setOpen] = useState(false);
  const status = useTabStatus(tabs, route).data;
  const left = status ? status.tab.funded - status.used - status.inFlight : null;
  return (
    <>
      <button type="button" className={styles.bar} onClick={() => setOpen(true)}>
        <span className={styles.label}>Pay by</span>
        <strong>{NAMES[mode]}</strong>
        {mode === "tab" && left !== null && status?.tab.signer && (
          <span>
            <Amount wei={left > 0n ? left : 0n} digits={6} /> left
          </span>
        )}
      </button>
      {open && <PayDialog mode={mode} route={route} tabs={tabs} onMode={onMode} onClose={() => setOpen(false)} />}
    </>
  );
}

function PayDialog({ mode, route, tabs, onMode, onClose }: PayBarProps & { onClose: () => void }) {
  const dialogs = useWalletDialogs();
  const credits = useCredits();
  const hostUntil = useHostUntil(route?.model);
  const status = useTabStatus(tabs, route).data;
  const now = Math.floor(Date.now() / 1000);
  const host = (hostUntil.data ?? 0) >= now;
  const option = (id: PayMode, title: string, words: string, disabled = false) => (
    <label className={styles.option} data-chosen={mode === id || undefined} data-off={disabled || undefined}>
      <input type="radio" name="pay" checked={mode === id} disabled={disabled} onChange={() => onMode(id)} />
      <span>
        <strong>{title}</strong>
        <span className={styles.words}>{words}</span>
      </span>
    </label>
  );
  return (
    <Dialog open onClose={onClose} title="How do you want to pay?">
      <fieldset className={styles.options}>
        <legend className="visually-hidden">Way of paying</legend>
        {option("tab", "Open a tab once", "Your wallet sets credits aside for this model's head; a session key of your wallet then signs each answer's cost, in every browser that has the wallet. Close it whenever you like.")}
        {option("strict", "Sign each question on chain", "Your wallet pays for each question by itself. Unanswered: you get it back. Slower, and each costs a fee.")}
        {option("free", "Free, as a host", host ? `Your wallet hosts nodes of this model until ${formatTime(hostUntil.data ?? 0)}.` : "For wallets that host a node of this model. Yours does not now.", !host)}
      </fieldset>
      {host && <NotYet>The free quota that is left cannot be shown; a node that has given enough says so.</NotYet>}
      {tabs && <TabPanel status={status} user={tabs.user} />}
      <Facts
        items={[
          ["Your credits", credits.data === undefined ? "unknown" : <Amount key="c" wei={credits.data} />],
          ["To read your words", route ? `${ethPerMillion(route.params.priceIn)} ETH per million tokens` : "unknown"],
          ["To write the answer", route ? `${ethPerMillion(route.params.priceOut)} ETH per million tokens` : "unknown"],
        ]}
      />
      <DialogActions>
        <Button
          onClick={() => {
            onClose();
            dialogs.buy();
          }}
        >
          Buy credits
        </Button>
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      </DialogActions>
    </Dialog>
  );
}
