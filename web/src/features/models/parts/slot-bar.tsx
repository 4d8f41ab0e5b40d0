// The slots of a model side by side, as wide as their layers, with who serves each.
import { useState } from "react";
import { Link } from "react-router";
import type { ListedSlot } from "@/shared/gateway/get-models.ts";
import { cx } from "@/shared/lib/cx.ts";
import { formatBytes } from "@/shared/lib/format.ts";
import { Hash } from "@/shared/ui/hash.tsx";
import { slotWords } from "../model-facts.ts";
import styles from "./slot-bar.module.css";

export function SlotBar({ slots }: { slots: readonly ListedSlot[] }) {
  const [chosen, setChosen] = useState<number | null>(null);
  if (slots.length === 0) return <p className={styles.none}>The gateway does not list them.</p>;
  const slot = slots.find((one) => one.slot === chosen);
  return (
    <>
      <div className={styles.bar}>
        {slots.map((one) => (
          <button
            key={one.slot}
            type="button"
            className={cx(styles.slot, one.live > 0 ? styles.live : styles.free, chosen === one.slot && styles.chosen)}
            style={{ flexGrow: one.blocks ?? 1 }}
            aria-expanded={chosen === one.slot}
            onClick={() => setChosen(chosen === one.slot ? null : one.slot)}
          >
            <span className={styles.number}>{one.slot}</span>
            <span className={styles.state}>{one.live > 0 ? `${one.live} live` : "free"}</span>
          </button>
        ))}
      </div>
      {slot && (
        <div className={styles.details}>
          <p>
            <strong>{slotWords(slot)}</strong>
            {slot.bytes !== null && `, ${formatBytes(slot.bytes)}`}
          </p>
          <p>
            {slot.joined} {slot.joined === 1 ? "node" : "nodes"} with a lease, {slot.live} live.{" "}
            {slot.hosts.length === 0 && "No organisation serves it."}
          </p>
          {slot.hosts.length > 0 && (
            <p className={styles.hosts}>
              {slot.hosts.length === 1 ? "Organisation" : "Organisations"}{" "}
              {slot.hosts.map((host) => (
                <Hash key={host} value={host} label="host address" to={`/explorer/address/${host}`} />
              ))}
            </p>
          )}
          {slot.live === 0 && <Link to="/pool">Host this slot</Link>}
        </div>
      )}
    </>
  );
}
