// The gates before the chat: a trust file, a wallet on the right chain, an open vault.
import { FileKey, Wallet } from "lucide-react";
import { useConnection } from "wagmi";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Button, ButtonLink } from "@/shared/ui/button.tsx";
import { useTitle } from "@/shared/ui/page.tsx";
import { EmptyState } from "@/shared/ui/states.tsx";
import { useVault } from "@/shared/vault/vault-context.tsx";
import { useWalletDialogs } from "@/shared/wallet/wallet-context.tsx";
import styles from "./chat.module.css";
import { ChatRoom } from "./chat-room.tsx";
import { UnlockPanel } from "./parts/unlock-panel.tsx";

export function ChatPage() {
  useTitle("Chat");
  const { trust } = useSetup();
  const { address, isReconnecting } = useConnection();
  const { vault } = useVault();
  const dialogs = useWalletDialogs();
  if (!trust) {
    return (
      <div className={styles.gate}>
        <h1 className="visually-hidden">Chat</h1>
        <EmptyState icon={<FileKey aria-hidden />} title="Nothing is sent without a trust file" action={<ButtonLink to="/settings" kind="primary">Import a trust file</ButtonLink>}>
          <p>It says which machines and models you accept. Without one this page cannot tell a good node from a bad one.</p>
        </EmptyState>
      </div>
    );
  }
  if (!address) {
    return (
      <div className={styles.gate}>
        <h1 className="visually-hidden">Chat</h1>
        <EmptyState
          icon={<Wallet aria-hidden />}
          title="Connect a wallet to chat"
          action={
            <Button kind="primary" pending={isReconnecting} onClick={dialogs.connect}>
              Connect wallet
            </Button>
          }
        >
          <p>It pays for the answers and is the key to your conversations, which stay in this browser.</p>
        </EmptyState>
      </div>
    );
  }
  if (!vault) return <UnlockPanel />;
  return <ChatRoom key={vault.owner} vault={vault} trust={trust} />;
}
