// Who is connected, with what, and what can be done with it.
import { useConnection, useDisconnect } from "wagmi";
import { useCredits, useWalletEth } from "../chain/reads.ts";
import { Amount } from "../ui/amount.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog, DialogActions } from "../ui/dialog.tsx";
import { Facts } from "../ui/facts.tsx";
import { Hash } from "../ui/hash.tsx";
import { useWalletDialogs } from "./wallet-context.tsx";

export interface WalletDialogProps {
  open: boolean;
  onClose: () => void;
}

export function WalletDialog({ open, onClose }: WalletDialogProps) {
  const { address, connector } = useConnection();
  const dialogs = useWalletDialogs();
  const credits = useCredits();
  const eth = useWalletEth();
  const disconnect = useDisconnect();
  const leave = () => disconnect.mutate({}, { onSettled: onClose });
  return (
    <Dialog open={open} onClose={onClose} title="Your wallet">
      <Facts
        items={[
          ["Wallet", connector?.name ?? "not connected"],
          ["Address", address ? <Hash key="a" value={address} label="address" /> : "none"],
          ["Credits", credits.data === undefined ? "unknown" : <Amount key="c" wei={credits.data} />],
          ["ETH in the wallet", eth.data ? <Amount key="e" wei={eth.data.value} digits={4} /> : "unknown"],
        ]}
      />
      <DialogActions>
        <Button kind="quiet" onClick={leave}>
          Disconnect
        </Button>
        <Button onClick={dialogs.withdraw} disabled={!credits.data}>
          Withdraw
        </Button>
        <Button kind="primary" onClick={dialogs.buy}>
          Buy credits
        </Button>
      </DialogActions>
    </Dialog>
  );
}
