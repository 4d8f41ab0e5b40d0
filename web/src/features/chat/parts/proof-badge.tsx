// Under each answer: what was checked, what it cost, and whether it is on chain. A click shows all of it.
import { BadgeCheck, CircleX, Clock, Download, Link2 } from "lucide-react";
import { useState } from "react";
import { formatEth } from "@/shared/lib/amount.ts";
import { cx } from "@/shared/lib/cx.ts";
import { formatTime } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Amount } from "@/shared/ui/amount.tsx";
import { Badge } from "@/shared/ui/badge.tsx";
import { Button, ButtonLink } from "@/shared/ui/button.tsx";
import { CheckList } from "@/shared/ui/check-list.tsx";
import { Dialog, DialogActions } from "@/shared/ui/dialog.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { useVault } from "@/shared/vault/vault-context.tsx";
import type { Proof } from "../model/conversation.ts";
import styles from "./proof-badge.module.css";

export function ProofBadge({ proof }: { proof: Proof }) {
  const [open, setOpen] = useState(false);
  const good = proof.checks.every((check) => check.passed);
  return (
    <>
      <button type="button" className={cx(styles.badge, good ? styles.good : styles.bad)} onClick={() => setOpen(true)} data-testid="proof-badge">
        {good ? <BadgeCheck aria-hidden /> : <CircleX aria-hidden />}
        <span>{good ? "Receipt verified" : "Receipt not valid"}</span>
        <span className={styles.part}>{proof.cost === "0" ? "free" : `${formatEth(BigInt(proof.cost), 9)} ETH`}</span>
        <span className={styles.part}>
          {proof.tokensIn} + {proof.tokensOut} tokens
        </span>
        <span className={styles.part}>
          {proof.settled ? <Link2 aria-hidden /> : <Clock aria-hidden />}
          {proof.settled ? "on chain" : "not on chain yet"}
        </span>
      </button>
      {open && <ProofDialog proof={proof} onClose={() => setOpen(false)} />}
    </>
  );
}

function ProofDialog({ proof, onClose }: { proof: Proof; onClose: () => void }) {
  const { simulated } = useSetup();
  return (
    <Dialog
      wide
      open
      onClose={onClose}
      title="What is known about this answer"
      lead="A receipt shows who computed it, from which input, with which weights, at what cost. It does not prove that the answer is true or good, nor that no machine of the route was broken."
    >
      {simulated && (
        <p>
          <Badge tone="warn">simulated evidence: proves nothing to anybody else</Badge>
        </p>
      )}
      <Facts
        items={[
          ["Receipt", <Hash key="r" value={proof.receipt} label="receipt hash" to={`/explorer/receipt/${proof.receipt}`} />],
          ["Cost", <Amount key="c" wei={BigInt(proof.cost)} digits={12} />],
          ["Tokens", `${proof.tokensIn} read, ${proof.tokensOut} written`],
          ["Paid", { tab: "from a tab, by voucher", strict: "by its own query on chain", free: "free of charge, as a host" }[proof.mode]],
          ["Checked here", formatTime(proof.verifiedAt)],
          ["On chain", <OnChain key="o" proof={proof} />],
        ]}
      />
      <CheckList
        label="Checks of the receipt"
        checks={proof.checks.map(({ id, passed, text }, i) => ({
          id: `${i}.${id}`,
          title: text.charAt(0).toUpperCase() + text.slice(1),
          status: passed ? ("passed" as const) : ("failed" as const),
          facts: [{ label: "Check", value: id, code: true }],
        }))}
      />
      <DialogActions>
        <DownloadBundle proof={proof} />
        <ButtonLink to={`/explorer/receipt/${proof.receipt}`}>Open in the explorer</ButtonLink>
      </DialogActions>
    </Dialog>
  );
}

function OnChain({ proof }: { proof: Proof }) {
  if (!proof.settled) return "not yet: batches are sent every few seconds";
  if (proof.settled.tx === "") return "recorded under its query; checked in the contract";
  return (
    <>
      batch {proof.settled.seq}, transaction <Hash value={proof.settled.tx} label="transaction hash" />
    </>
  );
}

// The file for `teetee verify`: it holds prompt and answer.
function DownloadBundle({ proof }: { proof: Proof }) {
  const { vault } = useVault();
  const save = async () => {
    const text = await vault?.get("bundle", proof.receipt);
    if (text === undefined) return;
    const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `receipt-${proof.receipt.slice(2, 14)}.json`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <Button icon={<Download aria-hidden />} onClick={() => void save()} title="Holds prompt and answer; check it offline with `teetee verify FILE`">
      Download for teetee verify
    </Button>
  );
}
