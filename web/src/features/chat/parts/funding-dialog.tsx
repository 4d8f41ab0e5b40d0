// Asked once before a tab is opened or topped up.
import type { Funding } from "@/shared/client/tabs.ts";
import { Amount } from "@/shared/ui/amount.tsx";
import { Button } from "@/shared/ui/button.tsx";
import { Dialog, DialogActions } from "@/shared/ui/dialog.tsx";
import { Facts } from "@/shared/ui/facts.tsx";

export interface FundingDialogProps {
  funding: Funding;
  onAnswer: (yes: boolean) => void;
}

export function FundingDialog({ funding, onAnswer }: FundingDialogProps) {
  return (
    <Dialog
      open
      onClose={() => onAnswer(false)}
      title="Open a tab"
      lead="It pays for the answers to come without asking each time. Nobody can charge more than what you used; you can close it and take the rest back."
    >
      <Facts
        items={[
          ["Set aside in the tab", <Amount key="a" wei={funding.amount} />],
          ["Bought for it now", funding.buy > 0n ? <Amount key="b" wei={funding.buy} /> : "nothing: your credits are enough"],
          ["Your wallet asks", funding.buy > 0n ? "twice" : "once"],
        ]}
      />
      <DialogActions>
        <Button kind="quiet" onClick={() => onAnswer(false)}>
          Not now
        </Button>
        <Button kind="primary" onClick={() => onAnswer(true)}>
          Open the tab
        </Button>
      </DialogActions>
    </Dialog>
  );
}
