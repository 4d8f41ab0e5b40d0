import { Tabs as Base } from "@base-ui/react/tabs";
import type { ReactNode } from "react";
import styles from "./tabs.module.css";

export interface TabItem {
  id: string;
  title: string;
  content: ReactNode;
}

export interface TabsProps {
  label: string;
  items: readonly TabItem[];
  value?: string;
  onChange?: (id: string) => void;
}

export function Tabs({ label, items, value, onChange }: TabsProps) {
  const own = value === undefined ? { defaultValue: items[0]?.id ?? "" } : { value };
  return (
    <Base.Root {...own} onValueChange={(next) => onChange?.(String(next))} className={styles.root}>
      <Base.List className={styles.list} aria-label={label}>
        {items.map((item) => (
          <Base.Tab key={item.id} value={item.id} className={styles.tab}>
            {item.title}
          </Base.Tab>
        ))}
      </Base.List>
      {items.map((item) => (
        <Base.Panel key={item.id} value={item.id} className={styles.panel}>
          {item.content}
        </Base.Panel>
      ))}
    </Base.Root>
  );
}

export interface SegmentsProps<T extends string> {
  label: string;
  options: readonly { id: T; title: string }[];
  value: T;
  onChange: (id: T) => void;
}

// A choice of one among few, as radio buttons in a row: hour / day / month.
export function Segments<T extends string>({ label, options, value, onChange }: SegmentsProps<T>) {
  return (
    <fieldset className={styles.segments}>
      <legend className="visually-hidden">{label}</legend>
      {options.map(({ id, title }) => (
        <label key={id} className={styles.segment}>
          <input
            type="radio"
            className="visually-hidden"
            checked={id === value}
            onChange={() => onChange(id)}
          />
          <span>{title}</span>
        </label>
      ))}
    </fieldset>
  );
}
