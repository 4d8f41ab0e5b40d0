// The demo wallet's own window: which account, and yes or no to each signature.
import { useEffect, useState } from "react";
import type { DemoQuestion } from "../chain/demo-wallet.ts";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { Facts } from "../ui/facts.tsx";
import { shortHash } from "../lib/format.ts";
import { Badge } from "../ui/badge.tsx";
import { endDemoQuestion, firstDemoQuestion, onDemoQuestion } from "./demo-questions.ts";
import styles from "./wallet.module.css";

const ROLES: Record<string, string> = {
  visitor: "New user: buys credits and chats",
  user: "User of the proxy on this machine",
  host1: "Host 1: runs nodes",
  host2: "Host 2: runs nodes",
};

export function DemoWalletDialog() {
  const [question, setQuestion] = useState<DemoQuestion | null>(null);
  useEffect(() => onDemoQuestion(() => setQuestion(firstDemoQuestion())), []);
  const end = (answer: () => void) => {
    answer();
    endDemoQuestion();
  };
  if (!question) return null;
  const refuse = () => end(() => (question.kind === "choose" ? question.answer(null) : question.answer(false)));
  return (
    <Dialog open onClose={refuse} title="Demo wallet">
      <p>
        <Badge tone="warn">development chain, demo money</Badge>
      </p>
      {question.kind === "choose" ? (
        <>
          <p>Which account do you want to use on this page?</p>
          <ul className={styles.wallets}>
            {question.accounts.map((account) => (
              <li key={account.address}>
                <button type="button" className={styles.wallet} onClick={() => end(() => question.answer(account.address))}>
                  <span className={styles.walletName}>{ROLES[account.name] ?? account.name}</span>
                  <code>{shortHash(account.address)}</code>
                </button>
              </li>
            ))}
          </ul>
        </>
      ) : (
        <>
          <h3>{question.title}</h3>
          <div className={styles.facts}>
            <Facts items={question.facts} />
          </div>
          <DialogActions>
            <Button kind="quiet" onClick={refuse}>
              Reject
            </Button>
            <Button kind="primary" onClick={() => end(() => question.answer(true))}>
              Approve
            </Button>
          </DialogActions>
        </>
      )}
    </Dialog>
  );
}
