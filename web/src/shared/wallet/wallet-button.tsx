// In the header of every page: connect, or the balance and who is connected.
import { Wallet } from "lucide-react";
import { useConnection, useSwitchChain } from "wagmi";
import { useCredits } from "../chain/reads.ts";
import { shortHash } from "../lib/format.ts";
import { useSetup } from "../setup/setup.tsx";
import { Amount } from "../ui/amount.tsx";
import { Button } from "../ui/button.tsx";
import styles from "./wallet-button.module.css";
import { useWalletDialogs } from "./wallet-context.tsx";

export function WalletButton() {
  const { chainId } = useSetup();
  const connection = useConnection();
  const dialogs = useWalletDialogs();
  const change = useSwitchChain();
  if (!connection.address) {
    return (
      <Button kind="primary" size="s" icon={<Wallet aria-hidden />} pending={connection.isReconnecting} onClick={dialogs.connect}>
        <span>
          Connect<span className={styles.wideOnly}> wallet</span>
        </span>
      </Button>
    );
  }
  if (connection.chainId !== chainId) {
    return (
      <Button kind="danger" size="s" pending={change.isPending} onClick={() => change.mutate({ chainId })}>
        Wrong chain: switch
      </Button>
    );
  }
  return <Connected address={connection.address} />;
}

function Connected({ address }: { address: string }) {
  const dialogs = useWalletDialogs();
  const credits = useCredits();
  return (
    <button type="button" className={styles.trigger} onClick={dialogs.show}>
      <span className="visually-hidden">Your wallet, credits:</span>
      <span className={styles.balance} data-testid="balance">
        {credits.data === undefined ? credits.isError ? "no chain" : "…" : <Amount wei={credits.data} digits={4} />}
      </span>
      <code className={styles.who}>{shortHash(address)}</code>
    </button>
  );
}
