// Which wallet: those that announced themselves to this page (EIP-6963).
import { Wallet } from "lucide-react";
import { type Connector, useConnect, useConnectors } from "wagmi";
import { DEMO_WALLET_ID } from "../chain/demo-wallet-id.ts";
import { problemOf } from "../chain/problem.ts";
import { useSetup } from "../setup/setup.tsx";
import { Badge } from "../ui/badge.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { EmptyState, ErrorState } from "../ui/states.tsx";
import styles from "./wallet.module.css";

export interface ConnectDialogProps {
  open: boolean;
  onClose: () => void;
}

export function ConnectDialog({ open, onClose }: ConnectDialogProps) {
  const { chainId } = useSetup();
  const connectors = useConnectors();
  const connect = useConnect();
  // The demo wallet asks in a dialog of its own, so this one steps aside.
  const pick = (connector: Connector) => {
    connect.reset();
    if (isDemo(connector)) onClose();
    connect.mutate({ connector, chainId }, { onSuccess: onClose });
  };
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title="Connect a wallet"
      lead="It signs what you pay for, and it is the key to your conversations. These pages never see its private key."
    >
      {connectors.length === 0 ? (
        <EmptyState icon={<Wallet aria-hidden />} title="No wallet in this browser">
          <p>Install a browser wallet that supports EIP-6963, then load this page again.</p>
        </EmptyState>
      ) : (
        <ul className={styles.wallets}>
          {connectors.map((connector) => (
            <li key={connector.uid}>
              <button type="button" className={styles.wallet} disabled={connect.isPending} onClick={() => pick(connector)}>
                {connector.icon ? <img src={connector.icon} alt="" width="32" height="32" /> : <Wallet aria-hidden />}
                <span className={styles.walletName}>{connector.name}</span>
                {isDemo(connector) && <Badge tone="warn">demo money</Badge>}
              </button>
            </li>
          ))}
        </ul>
      )}
      {connect.error && <ErrorState problem={problemOf(connect.error)} />}
    </Dialog>
  );
}

function isDemo(connector: Connector): boolean {
  return connector.id === DEMO_WALLET_ID;
}
