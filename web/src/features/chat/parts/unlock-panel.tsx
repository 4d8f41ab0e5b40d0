// Opens the encrypted store of this wallet's conversations, or makes it: with the wallet's signature or a passphrase.
import { useQuery } from "@tanstack/react-query";
import { KeyRound, Lock } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useSignMessage } from "wagmi";
import { problemOf } from "@/shared/chain/problem.ts";
import { Button } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { TextField } from "@/shared/ui/field.tsx";
import { ErrorState, type Problem, Skeleton } from "@/shared/ui/states.tsx";
import type { Vault } from "@/shared/vault/vault.ts";
import { useVault } from "@/shared/vault/vault-context.tsx";
import styles from "./unlock-panel.module.css";

const SHORTEST = 10;

export function UnlockPanel() {
  const { opener, opened } = useVault();
  const state = useQuery({ queryKey: ["vault", opener?.owner], enabled: opener !== null, queryFn: () => opener?.state() ?? { exists: false as const }, staleTime: 0, gcTime: 0 });
  const sign = useSignMessage();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [pending, setPending] = useState(false);
  const [wantsPassphrase, setWantsPassphrase] = useState(false);

  const open = async (work: () => Promise<Vault | null> | undefined) => {
    setPending(true);
    setProblem(null);
    try {
      const vault = await work();
      if (vault) opened(vault);
      else setProblem({ message: "This does not open it", cause: "It was made with another passphrase or signature.", next: "Try again, or forget what is kept here and begin anew." });
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setPending(false);
    }
  };
  const withWallet = () => open(() => opener?.withWallet((message) => sign.mutateAsync({ message })));
  const withPassphrase = (passphrase: string) => open(() => opener?.withPassphrase(passphrase));
  const forget = async () => {
    await opener?.forget();
    setProblem(null);
    await state.refetch();
  };

  if (!state.data) return <Skeleton height={14} />;
  const found = state.data;
  const passphrase = found.exists ? found.source === "passphrase" : wantsPassphrase;
  return (
    <div className={styles.frame}>
      <Card className={styles.card}>
        <div className={styles.icon}>
          <Lock aria-hidden />
        </div>
        <h1>{found.exists ? "Open your conversations" : "Keep your conversations here, encrypted"}</h1>
        <p className={styles.words}>
          They stay in this browser and are sent nowhere.{" "}
          {passphrase ? "Their key comes from your passphrase; nobody can recover it." : "Their key comes from a signature by your wallet. It costs nothing."}
        </p>
        {problem && <ErrorState kind="refused" problem={problem} />}
        {passphrase ? (
          <PassphraseForm fresh={!found.exists} pending={pending} submit={withPassphrase} />
        ) : (
          <Button kind="primary" icon={<KeyRound aria-hidden />} pending={pending} onClick={() => void withWallet()}>
            {found.exists ? "Open with your wallet" : "Sign with your wallet"}
          </Button>
        )}
        {!found.exists && (
          <Button kind="quiet" size="s" onClick={() => setWantsPassphrase(!wantsPassphrase)}>
            {wantsPassphrase ? "Use the wallet instead" : "Use a passphrase instead"}
          </Button>
        )}
        {found.exists && problem && (
          <Button kind="danger" size="s" onClick={() => void forget()}>
            Forget all that is kept here for this wallet
          </Button>
        )}
      </Card>
    </div>
  );
}

interface PassphraseFormProps {
  fresh: boolean;
  pending: boolean;
  submit: (passphrase: string) => Promise<void>;
}

function PassphraseForm({ fresh, pending, submit }: PassphraseFormProps) {
  const [text, setText] = useState("");
  const short = fresh && text.length > 0 && text.length < SHORTEST;
  const send = (event: FormEvent) => {
    event.preventDefault();
    if (text && !short) void submit(text);
  };
  return (
    <form className={styles.form} onSubmit={send}>
      <TextField
        label="Passphrase"
        type="password"
        autoComplete={fresh ? "new-password" : "current-password"}
        value={text}
        error={short ? `At least ${SHORTEST} characters.` : undefined}
        onChange={(event) => setText(event.target.value)}
      />
      <Button kind="primary" type="submit" pending={pending} disabled={text === "" || short}>
        {fresh ? "Make" : "Open"}
      </Button>
    </form>
  );
}
