// Where the question is written. Enter sends, Shift+Enter breaks the line; while an answer comes, the button stops it.
import { ArrowUp, Square } from "lucide-react";
import { type FormEvent, type KeyboardEvent, type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { IconButton } from "@/shared/ui/button.tsx";
import styles from "./composer.module.css";

export interface ComposerProps {
  // Why nothing can be sent now; null: it can.
  blocked: string | null;
  running: boolean;
  onSend: (text: string) => void;
  onStop: () => void;
  children?: ReactNode;
}

const MOST_CHARS = 100_000;

export function Composer({ blocked, running, onSend, onStop, children }: ComposerProps) {
  const [text, setText] = useState("");
  const area = useRef<HTMLTextAreaElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, 240)}px`;
  }, [text]);
  const ready = !running && blocked === null && text.trim() !== "";
  const send = () => {
    if (!ready) return;
    onSend(text.trim());
    setText("");
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    send();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    send();
  };
  return (
    <form className={styles.composer} onSubmit={submit}>
      <div className={styles.box}>
        <textarea
          ref={area}
          rows={1}
          maxLength={MOST_CHARS}
          aria-label="Your question"
          placeholder="Ask something"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
        />
        {running ? (
          <IconButton label="Stop" className={styles.send} onClick={onStop}>
            <Square aria-hidden fill="currentColor" />
          </IconButton>
        ) : (
          <IconButton label="Send" type="submit" className={styles.send} disabled={!ready}>
            <ArrowUp aria-hidden />
          </IconButton>
        )}
      </div>
      <div className={styles.below}>
        {children}
        {blocked && (
          <p className={styles.blocked} role="status">
            {blocked}
          </p>
        )}
      </div>
    </form>
  );
}
