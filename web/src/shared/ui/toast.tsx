// Short news in the corner, read out by screen readers. `useToast().show({ title, text, tone })`.
import { Toast as Base } from "@base-ui/react/toast";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "../lib/cx.ts";
import styles from "./toast.module.css";

export interface ToastNews {
  title: string;
  text?: string;
  tone?: "neutral" | "ok" | "bad";
}

export function ToastProvider({ children }: { children: ReactNode }) {
  return (
    <Base.Provider timeout={7000}>
      {children}
      <Base.Portal>
        <Base.Viewport className={styles.viewport}>
          <Toasts />
        </Base.Viewport>
      </Base.Portal>
    </Base.Provider>
  );
}

export function useToast(): { show: (news: ToastNews) => void } {
  const manager = Base.useToastManager();
  return {
    show: ({ title, text, tone = "neutral" }) => {
      manager.add({ title, description: text, type: tone, priority: tone === "bad" ? "high" : "low" });
    },
  };
}

function Toasts() {
  const { toasts } = Base.useToastManager();
  return toasts.map((toast) => (
    <Base.Root key={toast.id} toast={toast} className={cx(styles.toast, toast.type && styles[toast.type])}>
      <div className={styles.words}>
        <Base.Title className={styles.title} />
        <Base.Description className={styles.text} />
      </div>
      <Base.Close className={styles.close} aria-label="Dismiss">
        <X aria-hidden />
      </Base.Close>
    </Base.Root>
  ));
}
