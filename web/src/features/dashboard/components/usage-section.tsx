// What the node did, as the gateway sampled it.
import { useQuery } from "@tanstack/react-query";
import type { Range } from "@/shared/earnings/earnings.ts";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { groups } from "@/shared/lib/amount.ts";
import { formatMs, formatShare } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { SeenBy } from "@/shared/ui/badge.tsx";
import { Chart } from "@/shared/ui/chart.tsx";
import { Stat } from "@/shared/ui/facts.tsx";
import { usageQuery } from "../api/get-usage.ts";
import { timeLabel, type Usage, type UsagePoint, usageTotals } from "../lib/usage.ts";
import styles from "./dashboard.module.css";

export function UsageSection({ nodeKey, range, isHead }: { nodeKey: string; range: Range; isHead: boolean }) {
  const { gateway } = useSetup();
  const usage = useQuery(usageQuery(gateway, nodeKey, range));
  return (
    <section className={styles.section} aria-label="Usage">
      <div className={styles.head}>
        <h3>Usage</h3>
        <SeenBy who="gateway" />
      </div>
      <GatewayState query={usage} height={16}>
        {(data) => <UsageView usage={data} range={range} isHead={isHead} />}
      </GatewayState>
    </section>
  );
}

function UsageView({ usage, range, isHead }: { usage: Usage; range: Range; isHead: boolean }) {
  const totals = usageTotals(usage);
  const known = (value: number | null, write: (value: number) => string) =>
    value === null ? "not measured" : write(value);
  return (
    <>
      <div className={styles.stats}>
        <Stat name={isHead ? "Requests" : "Conversations"}>{groups(totals.requests)}</Stat>
        <Stat name="Tokens read">{groups(totals.tokensIn)}</Stat>
        <Stat name="Tokens written">{groups(totals.tokensOut)}</Stat>
        <Stat name="Busy">{known(totals.busyShare, formatShare)}</Stat>
        {isHead && <Stat name="First word after">{known(totals.ttftMs, formatMs)}</Stat>}
        {isHead && (
          <Stat name="Speed">{known(totals.tokensPerSecond, (value) => `${value.toFixed(1)} tokens/s`)}</Stat>
        )}
        <Stat name="Answered probes">{known(totals.upShare, formatShare)}</Stat>
      </div>
      <div className={styles.charts}>
        <UsageChart
          title={isHead ? "Requests" : "Conversations"}
          unit=""
          usage={usage}
          range={range}
          of={(p) => p.requests}
        />
        <UsageChart
          title="Tokens, read and written"
          unit=""
          usage={usage}
          range={range}
          of={(p) => p.tokens_in + p.tokens_out}
        />
        <UsageChart
          title="Busy time, share of the step"
          unit="%"
          kind="line"
          usage={usage}
          range={range}
          of={(p) => Math.min(100, (p.busy_seconds / usage.step) * 100)}
        />
        {isHead && (
          <UsageChart
            title="Time to the first word"
            unit="ms"
            kind="line"
            usage={usage}
            range={range}
            of={(p) => p.ttft_ms ?? null}
          />
        )}
      </div>
    </>
  );
}

interface UsageChartProps {
  title: string;
  unit: string;
  kind?: "bar" | "line";
  usage: Usage;
  range: Range;
  of: (point: UsagePoint) => number | null;
}

function UsageChart({ title, unit, kind = "bar", usage, range, of }: UsageChartProps) {
  const points = usage.points.map((point) => ({ x: point.t, y: of(point) }));
  const write = (value: number) =>
    `${groups(Number(value.toFixed(value < 10 ? 1 : 0)))}${unit ? ` ${unit}` : ""}`;
  return (
    <Chart
      title={title}
      kind={kind}
      points={points}
      formatValue={write}
      formatX={(t) => timeLabel(t, range)}
    />
  );
}
