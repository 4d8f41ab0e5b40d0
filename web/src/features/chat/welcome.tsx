// Before the first question: what will happen to it, and a few to begin with.
import { LockKeyhole, ReceiptText, Route as RouteIcon } from "lucide-react";
import type { RouteResult } from "@/shared/client/route.ts";
import { ErrorState } from "@/shared/ui/states.tsx";
import styles from "./chat.module.css";
import { problemOfClient } from "./model/take-event.ts";

const IDEAS = ["What is the capital of France?", "Explain a hash function to a child.", "Write a haiku about a locked box.", "List three uses of a lemon."];

export interface WelcomeProps {
  // The address names a conversation that is not kept here.
  unknown: boolean;
  route: RouteResult | undefined;
  blocked: boolean;
  onAsk: (text: string) => void;
}

export function Welcome({ unknown, route, blocked, onAsk }: WelcomeProps) {
  return (
    <div className={styles.welcome}>
      <div className={styles.welcomeInner}>
        <h2>{unknown ? "This conversation is not kept here" : "Ask, sealed"}</h2>
        {unknown && <p>It may be in another browser, or under another wallet. You can begin a new one below.</p>}
        {route && !route.ok && <ErrorState kind="refused" problem={problemOfClient(route.error)} />}
        <ul className={styles.steps}>
          <li>
            <RouteIcon aria-hidden />
            <span>This browser verifies every machine of the route first.</span>
          </li>
          <li>
            <LockKeyhole aria-hidden />
            <span>Your question is encrypted here; only the verified head opens it.</span>
          </li>
          <li>
            <ReceiptText aria-hidden />
            <span>Each answer comes with a receipt that is checked here.</span>
          </li>
        </ul>
        <div className={styles.ideas}>
          {IDEAS.map((idea) => (
            <button key={idea} type="button" disabled={blocked} onClick={() => onAsk(idea)}>
              {idea}
            </button>
          ))}
        </div>
      </div>
    </div>
  );
}
