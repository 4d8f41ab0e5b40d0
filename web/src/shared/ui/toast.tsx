// Short news in the corner, read out by screen readers. `useToast().show({ title, text, tone })`.
import { X } from "lucide-react";
import { createContext, type ReactNode, useContext, useMemo, useState } from "react";
import { cx } from "../lib/cx.ts";
import styles from "./toast.module.css";

export interface ToastNews {
  title: string;
  text?: string;
  tone?: "neutral" | "ok" | "bad";
}

interface Shown extends ToastNews {
  readonly id: number;
}

const LASTS_MS = 7000;
const MOST = 4;

const Context = createContext<{ show: (news: ToastNews) => void } | null>(null);

export function useToast(): { show: (news: ToastNews) => void } {
  const toast = useContext(Context);
  if (!toast) throw new Error("useToast outside of ToastProvider");
  return toast;
}

let lastId = 0;

export function ToastProvider({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<readonly Shown[]>([]);
  const toast = useMemo(() => {
    const drop = (id: number) => setShown((now) => now.filter((one) => one.id !== id));
    const show = (news: ToastNews) => {
      lastId += 1;
      const id = lastId;
      setShown((now) => [...now, { ...news, id }].slice(-MOST));
      setTimeout(() => drop(id), LASTS_MS);
    };
    return { show, drop };
  }, []);
  return (
    <Context value={toast}>
      {children}
      <section className={styles.viewport} aria-label="News" aria-live="polite">
        {shown.map(({ id, title, text, tone = "neutral" }) => (
          <div
            key={id}
            className={cx(styles.toast, styles[tone])}
            role={tone === "bad" ? "alert" : undefined}
          >
            <div className={styles.words}>
              <p className={styles.title}>{title}</p>
              {text && <p className={styles.text}>{text}</p>}
            </div>
            <button
              type="button"
              className={styles.close}
              aria-label="Dismiss"
              onClick={() => toast.drop(id)}
            >
              <X aria-hidden />
            </button>
          </div>
        ))}
      </section>
    </Context>
  );
}
