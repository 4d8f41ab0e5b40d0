// Labelled inputs. The hint and the error are tied to the input, so screen readers say them.
import {
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
  useId,
} from "react";
import { cx } from "../lib/cx.ts";
import styles from "./field.module.css";

interface Words {
  label: ReactNode;
  hint?: ReactNode;
  error?: ReactNode;
}

interface Ties {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
}

function Frame({ label, hint, error, children }: Words & { children: (ties: Ties) => ReactNode }) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div className={styles.field}>
      <label htmlFor={id} className={styles.label}>
        {label}
      </label>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": error ? true : undefined })}
      {hint && (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className={styles.error}>
          {error}
        </p>
      )}
    </div>
  );
}

export interface TextFieldProps extends InputHTMLAttributes<HTMLInputElement>, Words {
  unit?: string;
}

export function TextField({ label, hint, error, unit, className, ...rest }: TextFieldProps) {
  return (
    <Frame label={label} hint={hint} error={error}>
      {(ties) => (
        <span className={styles.box}>
          <input {...rest} {...ties} className={cx(styles.input, unit && styles.withUnit, className)} />
          {unit && <span className={styles.unit}>{unit}</span>}
        </span>
      )}
    </Frame>
  );
}

export interface TextAreaProps extends TextareaHTMLAttributes<HTMLTextAreaElement>, Words {}

export function TextArea({ label, hint, error, className, ...rest }: TextAreaProps) {
  return (
    <Frame label={label} hint={hint} error={error}>
      {(ties) => <textarea {...rest} {...ties} className={cx(styles.input, styles.area, className)} />}
    </Frame>
  );
}

export interface SelectProps extends SelectHTMLAttributes<HTMLSelectElement>, Words {}

export function Select({ label, hint, error, className, children, ...rest }: SelectProps) {
  return (
    <Frame label={label} hint={hint} error={error}>
      {(ties) => (
        <select {...rest} {...ties} className={cx(styles.input, styles.select, className)}>
          {children}
        </select>
      )}
    </Frame>
  );
}

export interface SliderProps extends Words {
  value: number;
  min: number;
  max: number;
  step: number;
  onChange: (value: number) => void;
}

export function Slider({ label, hint, error, value, onChange, ...range }: SliderProps) {
  const shown = (
    <>
      {label}
      <output className={styles.value}>{value}</output>
    </>
  );
  return (
    <Frame label={shown} hint={hint} error={error}>
      {(ties) => (
        <input
          type="range"
          {...range}
          {...ties}
          value={value}
          onChange={(event) => onChange(Number(event.target.value))}
          className={styles.range}
        />
      )}
    </Frame>
  );
}

export interface SwitchProps {
  label: ReactNode;
  hint?: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
}

export function Switch({ label, hint, checked, onChange, disabled }: SwitchProps) {
  return (
    <label className={styles.switch}>
      <input
        type="checkbox"
        role="switch"
        aria-checked={checked}
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span>
        {label}
        {hint && <span className={styles.hint}>{hint}</span>}
      </span>
    </label>
  );
}
