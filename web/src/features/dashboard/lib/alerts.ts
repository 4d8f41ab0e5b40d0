// What a host should look at now, worst first. From leases (chain), reachability (gateway), evidence and forecast (this page).
import type { Forecast } from "./forecast";

export type Severity = "urgent" | "soon" | "note";

export interface Alert {
  readonly id: string;
  readonly severity: Severity;
  readonly node: string;
  readonly title: string;
  readonly text: string;
  readonly source: "chain" | "gateway" | "page";
}

export interface WatchedNode {
  readonly key: string;
  readonly slot: number;
  readonly until: number; // unix seconds
  readonly lease: number; // seconds that one lease lasts; 0 if not known
  readonly up: boolean | null; // null: not known yet
  readonly refusal: string | null; // reason, if this page refused its evidence
  readonly forecast: Forecast | null;
}

export function alertsFor(nodes: readonly WatchedNode[], now: number): Alert[] {
  const order: Record<Severity, number> = { urgent: 0, soon: 1, note: 2 };
  return nodes.flatMap((node) => alertsOf(node, now)).sort((a, b) => order[a.severity] - order[b.severity]);
}

function alertsOf(node: WatchedNode, now: number): Alert[] {
  const alerts: (Alert | null)[] = [
    leaseAlert(node, now),
    reachAlert(node, now),
    evidenceAlert(node),
    forecastAlert(node),
  ];
  return alerts.filter((alert) => alert !== null);
}

// "Soon" is a tenth of the lease, but at least ten minutes and at most three days.
export function leaseWarning(lease: number): number {
  return Math.min(3 * 86_400, Math.max(600, lease / 10));
}

function leaseAlert(node: WatchedNode, now: number): Alert | null {
  const left = node.until - now;
  const base = { id: `${node.key}:lease`, node: node.key, source: "chain" as const };
  if (left < 0)
    return {
      ...base,
      severity: "urgent",
      title: "The lease is over",
      text: "The node serves nothing and earns nothing. Renew it below; what it earned stays yours.",
    };
  if (left < leaseWarning(node.lease))
    return {
      ...base,
      severity: "soon",
      title: "The lease ends soon",
      text: "Renew it below: the node makes new evidence, you send one transaction.",
    };
  return null;
}

function reachAlert(node: WatchedNode, now: number): Alert | null {
  if (node.up !== false || node.until < now) return null;
  return {
    id: `${node.key}:reach`,
    node: node.key,
    source: "gateway",
    severity: "urgent",
    title: "The node does not answer",
    text: "The gateway cannot reach it. Check that the machine runs and that its port is open.",
  };
}

function evidenceAlert(node: WatchedNode): Alert | null {
  if (!node.refusal) return null;
  return {
    id: `${node.key}:evidence`,
    node: node.key,
    source: "page",
    severity: "urgent",
    title: "Its evidence is refused",
    text: `${node.refusal.replace(/\.$/, "")}. Clients refuse it too, so no work comes.`,
  };
}

function forecastAlert(node: WatchedNode): Alert | null {
  const forecast = node.forecast;
  if (!forecast || forecast.state === "fine") return null;
  const base = { id: `${node.key}:tcb`, node: node.key, source: "page" as const };
  if (forecast.state === "over")
    return {
      ...base,
      severity: "urgent",
      title: "The collateral has expired",
      text: "The node must fetch the vendor’s current statements, or its evidence is refused.",
    };
  return {
    ...base,
    severity: "soon",
    title: "The vendor’s next update is near",
    text: "Then new security levels may apply. Look for firmware updates of the machine before that day.",
  };
}
