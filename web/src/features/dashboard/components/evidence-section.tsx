// Evidence now, verified in this page; when its documents run out; and what it showed before, opened and judged again on click.
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { EvidenceView } from "@/shared/evidence/evidence-view.tsx";
import { type JudgedEvidence, useEvidence, usePastEvidence } from "@/shared/evidence/use-evidence.ts";
import { GatewayState } from "@/shared/gateway/gateway-state.tsx";
import { historyQuery, type NodeHistory } from "@/shared/gateway/get-history.ts";
import { formatDuration, formatTime, shortHash } from "@/shared/lib/format.ts";
import { useNow } from "@/shared/lib/use-now.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Badge, SeenBy } from "@/shared/ui/badge.tsx";
import { Button } from "@/shared/ui/button.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { ErrorState, NotYet } from "@/shared/ui/states.tsx";
import { type Forecast, forecastOf } from "../lib/forecast.ts";
import styles from "./dashboard.module.css";

export function EvidenceSection({ nodeKey }: { nodeKey: string }) {
  const { gateway, trust } = useSetup();
  const now = useEvidence(nodeKey);
  const history = useQuery(historyQuery(gateway, nodeKey));
  return (
    <section className={styles.section} aria-label="Evidence">
      <div className={styles.head}>
        <h3>Evidence</h3>
        <SeenBy who="page" />
      </div>
      {trust === null ? (
        <ErrorState
          kind="refused"
          problem={{
            message: "Nothing can be verified without a trust file.",
            next: "Import yours in the settings.",
          }}
        />
      ) : (
        <GatewayState query={now} height={6}>
          {(evidence) => <EvidenceNow evidence={evidence} />}
        </GatewayState>
      )}
      <GatewayState query={history} height={4}>
        {(data) => <History nodeKey={nodeKey} history={data} />}
      </GatewayState>
    </section>
  );
}

function EvidenceNow({ evidence }: { evidence: JudgedEvidence }) {
  const { judgement } = evidence;
  return (
    <>
      <p className={styles.head}>
        <Badge tone={judgement.ok ? "ok" : "bad"}>{judgement.ok ? "verified here" : "refused here"}</Badge>
        <span>
          {judgement.ok
            ? `Release “${judgement.peer.release}”, ${judgement.peer.quote.status}`
            : judgement.reason}
        </span>
      </p>
      <ForecastFacts evidence={evidence} />
      <details>
        <summary>Open the evidence</summary>
        <EvidenceView evidence={evidence} />
      </details>
    </>
  );
}

function ForecastFacts({ evidence }: { evidence: JudgedEvidence }) {
  const now = useNow(60_000);
  const forecast = readForecast(evidence, now);
  if (!forecast)
    return <p className={styles.quiet}>Its collateral names no dates, so nothing can be forecast.</p>;
  const left = forecast.secondsLeft > 0 ? `in ${formatDuration(forecast.secondsLeft)}` : "over";
  return (
    <>
      <Facts
        items={[
          ["Vendor’s next update by", `${formatTime(forecast.nextUpdate)} (${left})`],
          [
            "Judged by update round",
            `${forecast.tcbEvaluation} (platform), ${forecast.qeEvaluation} (quoting enclave)`,
          ],
          ["Documents issued", formatTime(forecast.issued)],
        ]}
      />
      <NotYet>
        a warning before the vendor raises its levels: this page asks no vendor, so it sees only the documents
        that the node brings.
      </NotYet>
    </>
  );
}

function readForecast(evidence: JudgedEvidence, now: number): Forecast | null {
  try {
    const collateral = JSON.parse(new TextDecoder().decode(evidence.shown.collateral)) as {
      tcb_info: string;
      qe_identity: string;
    };
    return forecastOf(collateral, now);
  } catch {
    return null;
  }
}

const MOST = 10;

function History({ nodeKey, history }: { nodeKey: string; history: NodeHistory }) {
  const [all, setAll] = useState(false);
  if (history.evidence.length === 0)
    return <p className={styles.quiet}>The gateway kept no earlier evidence.</p>;
  const shown = all ? history.evidence : history.evidence.slice(0, MOST);
  return (
    <details>
      <summary>
        History: {history.evidence.length} {history.evidence.length === 1 ? "piece" : "pieces"} of evidence,
        kept by the gateway
      </summary>
      <ul className={styles.history}>
        {shown.map((entry) => (
          <PastEvidence
            key={`${entry.at}-${entry.sha256}`}
            nodeKey={nodeKey}
            at={entry.at}
            digest={entry.sha256}
          />
        ))}
      </ul>
      {!all && history.evidence.length > MOST && (
        <Button size="s" kind="quiet" onClick={() => setAll(true)}>
          Show all {history.evidence.length}
        </Button>
      )}
    </details>
  );
}

function PastEvidence({ nodeKey, at, digest }: { nodeKey: string; at: number; digest: string }) {
  const [open, setOpen] = useState(false);
  const past = usePastEvidence(nodeKey, open ? digest : null, at);
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          {formatTime(at)} <code>{shortHash(digest)}</code>
        </summary>
        {open && (
          <GatewayState query={past} height={6}>
            {(evidence) => <EvidenceView evidence={evidence} />}
          </GatewayState>
        )}
      </details>
    </li>
  );
}
