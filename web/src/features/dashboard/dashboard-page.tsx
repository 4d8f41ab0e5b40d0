// For hosts: what needs attention, what came in, and each node with its usage, lease and evidence. Live.
import { useQuery } from "@tanstack/react-query";
import { Server, Wallet } from "lucide-react";
import { useState } from "react";
import { useConnection } from "wagmi";
import type { Range } from "@/shared/earnings/earnings.ts";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { hostNodesQuery, type ListedNode } from "@/shared/gateway/get-nodes.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Button, ButtonLink } from "@/shared/ui/button.tsx";
import { Page } from "@/shared/ui/page.tsx";
import { EmptyState } from "@/shared/ui/states.tsx";
import { Segments } from "@/shared/ui/tabs.tsx";
import { useWalletDialogs } from "@/shared/wallet/wallet-context.tsx";
import { Alerts } from "./components/alerts.tsx";
import styles from "./components/dashboard.module.css";
import { EarningsCard } from "./components/earnings-card.tsx";
import { NodeCard } from "./components/node-card.tsx";

const RANGES = [
  { id: "hour", title: "Hour" },
  { id: "day", title: "Day" },
  { id: "month", title: "Month" },
] as const;

export function DashboardPage() {
  const { address } = useConnection();
  return (
    <Page title="Dashboard" lead="Your nodes: what they did, what they earned, what needs you.">
      {address ? <HostView host={address.toLowerCase() as `0x${string}`} /> : <NoWallet />}
    </Page>
  );
}

function NoWallet() {
  const { connect } = useWalletDialogs();
  return (
    <EmptyState
      icon={<Wallet aria-hidden />}
      title="Whose nodes?"
      action={
        <Button kind="primary" onClick={connect}>
          Connect a wallet
        </Button>
      }
    >
      <p>Connect the wallet that joined your nodes. Reading costs nothing, and nothing is signed.</p>
    </EmptyState>
  );
}

function HostView({ host }: { host: `0x${string}` }) {
  const { gateway } = useSetup();
  const nodes = useQuery(hostNodesQuery(gateway, host));
  return (
    <GatewayState query={nodes} height={20}>
      {(list) => (list.length === 0 ? <NoNodes /> : <Nodes host={host} nodes={list} />)}
    </GatewayState>
  );
}

function NoNodes() {
  return (
    <EmptyState
      icon={<Server aria-hidden />}
      title="No node of this wallet"
      action={
        <ButtonLink to="/pool" kind="primary">
          Choose a slot
        </ButtonLink>
      }
    >
      <p>Once a node of yours has joined, its usage and earnings are here.</p>
    </EmptyState>
  );
}

function Nodes({ host, nodes }: { host: `0x${string}`; nodes: readonly ListedNode[] }) {
  const [range, setRange] = useState<Range>("hour");
  const sorted = nodes.toSorted((a, b) => Number(b.live) - Number(a.live) || b.until - a.until);
  return (
    <>
      <Alerts nodes={sorted} />
      <div className={styles.range}>
        <Segments label="Time range" options={RANGES} value={range} onChange={setRange} />
      </div>
      <EarningsCard host={host} nodes={sorted} range={range} />
      {sorted.map((node) => (
        <NodeCard key={node.key} node={node} range={range} />
      ))}
    </>
  );
}
