// Credits for ETH, in one step.
import { type FormEvent, useState } from "react";
import { useConnection } from "wagmi";
import { buy } from "../chain/calls.ts";
import { useCredits, useWalletEth } from "../chain/reads.ts";
import { useTransaction } from "../chain/use-transaction.ts";
import { parseEth } from "../lib/amount.ts";
import { useSetup } from "../setup/setup.tsx";
import { Amount } from "../ui/amount.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { Facts } from "../ui/facts.tsx";
import { TextField } from "../ui/field.tsx";
import { EmptyState } from "../ui/states.tsx";
import { TransactionStatus } from "./transaction-status.tsx";
import styles from "./wallet.module.css";

const SUMS = ["0.01", "0.05", "0.1", "0.5"];

export interface BuyDialogProps {
  open: boolean;
  onClose: () => void;
}

export function BuyDialog({ open, onClose }: BuyDialogProps) {
  const transaction = useTransaction();
  const close = () => {
    transaction.reset();
    onClose();
  };
  return (
    <Dialog
      open={open}
      onClose={close}
      title="Buy credits"
      lead="Credits are ETH that you set aside in the Ledger contract. They pay for answers; what you do not use, you can withdraw."
    >
      <BuyForm transaction={transaction} onClose={close} />
    </Dialog>
  );
}

function BuyForm({ transaction, onClose }: { transaction: ReturnType<typeof useTransaction>; onClose: () => void }) {
  const { ledger } = useSetup();
  const { address } = useConnection();
  const credits = useCredits();
  const eth = useWalletEth();
  const [text, setText] = useState("0.05");
  const wei = parseEth(text);
  const tooMuch = wei !== null && eth.data !== undefined && wei > eth.data.value;
  const error = text && (wei === null || wei === 0n) ? "Write a sum in ETH, such as 0.05." : tooMuch ? "This is more than the wallet holds." : undefined;
  if (!address) {
    return <EmptyState title="No wallet is connected">Connect one first; it pays.</EmptyState>;
  }
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wei && !error) void transaction.send(buy(ledger, address, wei));
  };
  const { state, busy } = transaction;
  return (
    <form className={styles.form} onSubmit={submit}>
      <Facts
        items={[
          ["In your wallet", eth.data ? <Amount key="e" wei={eth.data.value} /> : "…"],
          ["Your credits", credits.data === undefined ? "…" : <Amount key="c" wei={credits.data} />],
        ]}
      />
      <TextField
        label="Sum"
        unit="ETH"
        inputMode="decimal"
        autoComplete="off"
        value={text}
        error={error}
        disabled={busy}
        onChange={(event) => setText(event.target.value)}
      />
      <fieldset className={styles.sums}>
        <legend className="visually-hidden">Usual sums</legend>
        {SUMS.map((sum) => (
          <Button key={sum} size="s" disabled={busy} aria-pressed={sum === text} onClick={() => setText(sum)}>
            {sum} ETH
          </Button>
        ))}
      </fieldset>
      <TransactionStatus state={state} done="The credits are yours." />
      <DialogActions>
        <Button kind="quiet" onClick={onClose}>
          {state.step === "mined" ? "Close" : "Cancel"}
        </Button>
        <Button kind="primary" type="submit" pending={busy} disabled={!wei || error !== undefined}>
          Buy credits
        </Button>
      </DialogActions>
    </form>
  );
}
