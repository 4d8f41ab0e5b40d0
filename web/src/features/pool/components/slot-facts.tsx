// What one slot asks of a machine and what it brought in: before anybody starts anything.
import type { Expectation } from "@/shared/earnings/slot-revenue.ts";
import { formatBytes } from "@/shared/lib/format.ts";
import { Amount } from "@/shared/ui/amount.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Facts, Stat } from "@/shared/ui/facts.tsx";
import { Term } from "@/shared/ui/term.tsx";
import type { SlotNeeds } from "../lib/slot-needs.ts";
import styles from "./slot-facts.module.css";

export interface SlotFactsProps {
  needs: SlotNeeds;
  share: number; // 0..1 of each fee
  priceIn: bigint;
  priceOut: bigint;
  liveNodes: number;
  expectation: Expectation | null | undefined; // undefined: the chain has not told yet
  leaseHours: number;
}

export function SlotFacts(props: SlotFactsProps) {
  const { needs, share, expectation } = props;
  return (
    <Card title="What it takes, what it brings">
      <div className={styles.stats}>
        <Stat
          name="Memory"
          note={`${formatBytes(needs.weightBytes)} of weights, ${formatBytes(needs.kvBytes)} for conversations`}
        >
          {formatBytes(needs.recommendedBytes)}
        </Stat>
        <Stat name="Your part of each fee" note={`${Math.round(share * 1000) / 10} % for this slot’s layers`}>
          {Math.round(share * 100)} %
        </Stat>
        <Stat name="Expected earnings" note={expectationNote(expectation)}>
          {!expectation ? (
            expectation === null ? "not known" : "…"
          ) : (
            <>
              <Amount wei={expectation.weiPerDay} digits={6} /> a day
            </>
          )}
        </Stat>
      </div>
      <Facts
        items={[
          [
            "Machine",
            <>
              A virtual machine with a <Term name="TEE">TEE</Term>: Intel TDX, on Phala Cloud or your own.
              Four cores or more; AVX2.
            </>,
          ],
          [
            "Memory for conversations",
            `${needs.positions.toLocaleString("en")} tokens at once, ${formatBytes(needs.kvBytesPerPosition)} each`,
          ],
          [
            "Network",
            `${formatBytes(needs.networkBytesPerToken)} a token to the next slot; ports 9100 and 9200 open`,
          ],
          [
            "Price of the model",
            <>
              <Amount wei={props.priceIn * 1_000_000n} /> in, <Amount wei={props.priceOut * 1_000_000n} />{" "}
              out, each for a million tokens
            </>,
          ],
          [
            "Live nodes now",
            props.liveNodes === 0
              ? "none: the slot is free"
              : `${props.liveNodes}; work is shared, replicas are welcome`,
          ],
          ["Lease", `${props.leaseHours.toLocaleString("en")} hours, then new evidence and one transaction`],
        ]}
      />
    </Card>
  );
}

function expectationNote(expectation: Expectation | null | undefined): string {
  if (expectation === undefined) return "the chain has not told yet, by your RPC";
  if (expectation === null) return "this slot earned nothing in the last 7 days, by your RPC";
  return `income of the last 7 days by your RPC, shared by ${expectation.nodes} ${expectation.nodes === 1 ? "node" : "nodes"} with yours; no promise`;
}
