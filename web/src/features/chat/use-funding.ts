// The question before a tab is funded, as a promise for the engine and a dialog for the person.
import { useCallback, useState } from "react";
import type { Funding } from "@/shared/client/tabs.ts";

export interface FundingQuestion {
  readonly funding: Funding;
  readonly answer: (yes: boolean) => void;
}

export function useFunding() {
  const [question, setQuestion] = useState<FundingQuestion | null>(null);
  const confirm = useCallback(
    (funding: Funding) =>
      new Promise<boolean>((resolve) => {
        const answer = (yes: boolean) => {
          setQuestion(null);
          resolve(yes);
        };
        setQuestion({ funding, answer });
      }),
    [],
  );
  return { question, confirm };
}
