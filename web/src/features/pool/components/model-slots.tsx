// One model and its slots: who serves them, what a machine needs, what came in lately. Each slot leads to its own page.
import { Link } from "react-router";
import type { ListedModel, ListedSlot } from "@/shared/gateway/get-models.ts";
import { cx } from "@/shared/lib/cx.ts";
import { formatBytes, formatCount } from "@/shared/lib/format.ts";
import { Amount } from "@/shared/ui/amount.tsx";
import { Badge } from "@/shared/ui/badge.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import styles from "./model-slots.module.css";

export interface ModelSlotsProps {
  model: ListedModel;
  // wei a day of one node of each slot, by the gateway's count; null: nothing came in
  expected: (slot: number) => bigint | null;
  wallet: string | null;
}

export function ModelSlots({ model, expected, wallet }: ModelSlotsProps) {
  const facts = model.teetee;
  const name = facts.name ?? model.id;
  return (
    <Card title={name} actions={<ClassBadge value={facts.class} />}>
      <p className={styles.facts}>
        {facts.parameters != null && <span>{formatCount(facts.parameters)} parameters</span>}
        {facts.quantisation && <span>{facts.quantisation}</span>}
        <span>{facts.routes === 1 ? "1 live route" : `${facts.routes} live routes`}</span>
        <Hash value={facts.model} label="model id" to={`/explorer/model/${facts.model}`} />
      </p>
      <ol className={styles.slots}>
        {facts.slot_list.map((slot) => (
          <li key={slot.slot} className={styles.item}>
            <SlotLink
              model={facts.model}
              name={name}
              slot={slot}
              last={facts.slot_list.length - 1}
              wei={expected(slot.slot)}
              own={isOwn(slot, wallet)}
            />
          </li>
        ))}
      </ol>
    </Card>
  );
}

function isOwn(slot: ListedSlot, wallet: string | null): boolean {
  return wallet !== null && slot.hosts.some((host) => host === wallet.toLowerCase());
}

export function ClassBadge({ value }: { value: "simulated" | "production" | "unknown" }) {
  if (value === "simulated") return <Badge tone="warn">simulated: protects nothing</Badge>;
  if (value === "production") return <Badge tone="ok">real hardware</Badge>;
  return <Badge>no node seen yet</Badge>;
}

interface SlotLinkProps {
  model: string;
  name: string;
  slot: ListedSlot;
  last: number;
  wei: bigint | null;
  own: boolean;
}

function SlotLink({ model, name, slot, last, wei, own }: SlotLinkProps) {
  return (
    <Link
      to={`/pool/${model}/${slot.slot}`}
      className={cx(styles.slot, slot.live === 0 ? styles.free : styles.live)}
    >
      <span className={styles.top}>
        <strong>
          Slot {slot.slot}
          <span className="visually-hidden"> of {name}:</span>
        </strong>
        <Badge tone={slot.live === 0 ? "accent" : "ok"}>{stateWords(slot)}</Badge>
        {own && <Badge tone="accent">yours</Badge>}
      </span>
      <span className={styles.line}>{roleWords(slot, last)}</span>
      <span className={styles.line}>
        {slot.bytes === null ? "size not known yet" : `${formatBytes(slot.bytes)} of weights`}
      </span>
      <span className={styles.line}>
        {wei === null ? (
          "no income in the last 7 days"
        ) : (
          <>
            about <Amount wei={wei} /> a day
          </>
        )}
      </span>
    </Link>
  );
}

export function stateWords(slot: Pick<ListedSlot, "live" | "joined">): string {
  if (slot.live === 0) return slot.joined > 0 ? "joined, not live" : "free";
  return slot.live === 1 ? "1 live node" : `${slot.live} live nodes`;
}

export function roleWords(slot: Pick<ListedSlot, "slot" | "first_block" | "blocks">, last: number): string {
  const known = slot.first_block !== null && slot.blocks !== null;
  const blocks = known
    ? `layers ${slot.first_block} to ${(slot.first_block ?? 0) + (slot.blocks ?? 0) - 1}`
    : "layers not known yet";
  if (slot.slot === 0) return `${blocks}; opens requests and meters`;
  return slot.slot === last ? `${blocks}; writes the words` : blocks;
}
