// A button, or a link that looks like one. `pending` keeps the width, shows a spinner and takes no clicks.
import type { ButtonHTMLAttributes, ReactNode } from "react";
import { Link } from "react-router";
import { cx } from "../lib/cx.ts";
import styles from "./button.module.css";

export type ButtonKind = "primary" | "secondary" | "quiet" | "danger";

interface Look {
  kind?: ButtonKind | undefined;
  size?: "s" | "m" | undefined;
}

export function buttonClass({ kind = "secondary", size = "m" }: Look): string {
  return cx(styles.button, styles[kind], size === "s" && styles.small);
}

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement>, Look {
  pending?: boolean | undefined;
  icon?: ReactNode;
}

export function Button({ kind, size, pending, icon, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      className={cx(buttonClass({ kind, size }), pending && styles.pending, className)}
      disabled={disabled || pending}
      aria-busy={pending || undefined}
    >
      {icon}
      {children}
    </button>
  );
}

export interface ButtonLinkProps extends Look {
  to: string;
  icon?: ReactNode;
  children: ReactNode;
}

export function ButtonLink({ to, kind, size, icon, children }: ButtonLinkProps) {
  return (
    <Link to={to} className={buttonClass({ kind, size })}>
      {icon}
      {children}
    </Link>
  );
}

export interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  label: string;
}

// An icon alone; `label` is its name for screen readers and its tooltip.
export function IconButton({ label, className, ...rest }: IconButtonProps) {
  return (
    <button type="button" {...rest} aria-label={label} title={label} className={cx(styles.icon, className)} />
  );
}
