// Lets any page open the dialogs around the wallet. They are loaded when first opened.
import { createContext, lazy, type ReactNode, Suspense, useContext, useMemo, useState } from "react";

const BuyDialog = lazy(async () => ({ default: (await import("./buy-dialog.tsx")).BuyDialog }));
const ConnectDialog = lazy(async () => ({ default: (await import("./connect-dialog.tsx")).ConnectDialog }));
const WalletDialog = lazy(async () => ({ default: (await import("./wallet-dialog.tsx")).WalletDialog }));
const WithdrawDialog = lazy(async () => ({ default: (await import("./withdraw-dialog.tsx")).WithdrawDialog }));

export interface WalletDialogs {
  readonly connect: () => void;
  readonly buy: () => void;
  readonly withdraw: () => void;
  // Who is connected, with what.
  readonly show: () => void;
}

type Which = keyof WalletDialogs;

const Context = createContext<WalletDialogs | null>(null);

export function useWalletDialogs(): WalletDialogs {
  const dialogs = useContext(Context);
  if (!dialogs) throw new Error("useWalletDialogs outside of WalletDialogsProvider");
  return dialogs;
}

export function WalletDialogsProvider({ children }: { children: ReactNode }) {
  const [open, setOpen] = useState<Which | null>(null);
  const dialogs = useMemo<WalletDialogs>(() => {
    const opener = (which: Which) => () => setOpen(which);
    return { connect: opener("connect"), buy: opener("buy"), withdraw: opener("withdraw"), show: opener("show") };
  }, []);
  const close = () => setOpen(null);
  return (
    <Context value={dialogs}>
      {children}
      <Suspense>
        {open === "connect" && <ConnectDialog open onClose={close} />}
        {open === "buy" && <BuyDialog open onClose={close} />}
        {open === "withdraw" && <WithdrawDialog open onClose={close} />}
        {open === "show" && <WalletDialog open onClose={close} />}
      </Suspense>
    </Context>
  );
}
