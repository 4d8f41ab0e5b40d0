// Credits and earnings back to the wallet.
import { type FormEvent, useState } from "react";
import { useConnection } from "wagmi";
import { withdraw } from "../chain/calls.ts";
import { useCredits } from "../chain/reads.ts";
import { useTransaction } from "../chain/use-transaction.ts";
import { formatEth, parseEth } from "../lib/amount.ts";
import { useSetup } from "../setup/setup.tsx";
import { Amount } from "../ui/amount.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { Facts } from "../ui/facts.tsx";
import { TextField } from "../ui/field.tsx";
import { TransactionStatus } from "./transaction-status.tsx";
import styles from "./wallet.module.css";

export interface WithdrawDialogProps {
  open: boolean;
  onClose: () => void;
}

export function WithdrawDialog({ open, onClose }: WithdrawDialogProps) {
  const transaction = useTransaction();
  const close = () => {
    transaction.reset();
    onClose();
  };
  return (
    <Dialog open={open} onClose={close} title="Withdraw" lead="From your balance in the Ledger contract to the connected wallet.">
      <WithdrawForm transaction={transaction} onClose={close} />
    </Dialog>
  );
}

function WithdrawForm({ transaction, onClose }: { transaction: ReturnType<typeof useTransaction>; onClose: () => void }) {
  const { ledger } = useSetup();
  const { address } = useConnection();
  const credits = useCredits();
  const [text, setText] = useState("");
  const all = credits.data ?? 0n;
  // "All" keeps the last wei, which the shown decimals leave out.
  const wei = text === formatEth(all, 18) ? all : parseEth(text);
  const error = text && (wei === null || wei === 0n) ? "Write a sum in ETH." : wei !== null && wei > all ? "This is more than your balance." : undefined;
  const { state, busy } = transaction;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (wei && address && !error) void transaction.send(withdraw(ledger, wei, address));
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <Facts items={[["Your balance", <Amount key="b" wei={all} digits={9} />]]} />
      <TextField label="Sum" unit="ETH" inputMode="decimal" autoComplete="off" value={text} error={error} disabled={busy} onChange={(event) => setText(event.target.value)} />
      <fieldset className={styles.sums}>
        <legend className="visually-hidden">Usual sums</legend>
        <Button size="s" disabled={busy || all === 0n} onClick={() => setText(formatEth(all, 18))}>
          All of it
        </Button>
      </fieldset>
      <TransactionStatus state={state} done="It is in your wallet." />
      <DialogActions>
        <Button kind="quiet" onClick={onClose}>
          {state.step === "mined" ? "Close" : "Cancel"}
        </Button>
        <Button kind="primary" type="submit" pending={busy} disabled={!wei || error !== undefined}>
          Withdraw
        </Button>
      </DialogActions>
    </form>
  );
}
