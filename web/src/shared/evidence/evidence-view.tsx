// Evidence of a node, opened: the verdict of this page with every check, the claims, the quote field by field, and plain links to public
// pages about it.
import { ExternalLink } from "lucide-react";
import { useEffect, useState } from "react";
import { formatTime } from "../lib/format.ts";
import { Badge } from "../ui/badge.tsx";
import { type CheckItem, CheckList } from "../ui/check-list.tsx";
import { toHex } from "../verify/bytes.ts";
import { allChecks } from "../verify/checks.ts";
import type { Claims } from "../verify/claims.ts";
import styles from "./evidence-view.module.css";
import { decodeShownQuote, quoteSha256 } from "./node-evidence.ts";
import { publicExplorers } from "./public-explorers.ts";
import { platformFacts, type QuoteFacts } from "./quote-facts.ts";
import type { JudgedEvidence } from "./use-evidence.ts";

export function EvidenceView({ evidence }: { evidence: JudgedEvidence }) {
  const { judgement, shown, at } = evidence;
  const decoded = decodeShownQuote(shown.evidence);
  return (
    <div className={styles.view}>
      <Verdict evidence={evidence} />
      <details className={styles.more}>
        <summary>Every check, judged for {formatTime(at)}</summary>
        <CheckList label="Checks of the evidence" checks={checkItems(evidence)} />
      </details>
      {judgement.ok && (
        <FactGroup group={{ title: "What the node claims", facts: claimFacts(judgement.peer.claims) }} />
      )}
      {judgement.ok && (
        <FactGroup
          group={{ title: "The machine, by the vendor", facts: platformFacts(judgement.peer.quote) }}
        />
      )}
      {decoded?.facts.map((group) => (
        <FactGroup key={group.title} group={group} />
      ))}
      {decoded ? (
        <PublicLinks quote={decoded.quote} simulated={shown.kind === "simulated"} />
      ) : (
        <p>It holds no quote that could be decoded.</p>
      )}
    </div>
  );
}

function Verdict({ evidence: { judgement } }: { evidence: JudgedEvidence }) {
  if (!judgement.ok) {
    return (
      <p className={styles.bad}>
        <Badge tone="bad">refused here</Badge> {judgement.reason}
      </p>
    );
  }
  const { peer } = judgement;
  return (
    <p className={styles.good}>
      <Badge tone="ok">verified here</Badge> Release “{peer.release}”, {peer.quote.status}.{" "}
      {peer.evidenceClass === "simulated" && (
        <strong>Simulated: signed by a development machine, it protects nothing.</strong>
      )}
    </p>
  );
}

const NOT_HERE: ReadonlySet<string> = new Set(["claims.tls_key", "channel.reflection"]);

/** In the order of the verifier: what comes after a refusal was not reached. */
export function checkItems({ judgement }: Pick<JudgedEvidence, "judgement">): CheckItem[] {
  const failed = judgement.ok ? -1 : allChecks.findIndex((check) => check.id === judgement.check);
  return allChecks.map((check, i) => {
    const item = { id: check.id, title: check.meaning };
    if (NOT_HERE.has(check.id))
      return {
        ...item,
        status: "skipped",
        detail: `${check.id}: of channels between nodes; this page has none`,
      };
    if (!judgement.ok && i === failed) return { ...item, status: "failed", detail: judgement.reason };
    if (judgement.ok) return { ...item, status: "passed", detail: check.id };
    return { ...item, status: "skipped", detail: `${check.id}: not told apart after a refusal` };
  });
}

function claimFacts(claims: Claims): QuoteFacts["facts"] {
  const code = (label: string, value: string, hint: string) => ({ label, value, hint, code: true });
  return [
    code("Signing key", claims.signer, "the node’s name"),
    code("Host", claims.host, "who is paid"),
    code("Model", claims.model, "which model"),
    { label: "Slot", value: String(claims.slot), hint: "which part of it" },
    code("Weights", claims.weightsRoot, "root over its tensors"),
    code("HPKE key", toHex(claims.hpkeKey), "prompts are sealed to it"),
    code("TLS key", toHex(claims.tlsKeyHash), "SHA-256; shown on channels between nodes"),
    code("Boot", toHex(claims.bootId), "new at each start"),
    code("Registry", claims.registry, `on chain ${claims.chainId}`),
    { label: "Block", value: String(claims.blockNumber), hint: formatTime(Number(claims.blockTime)) },
    code("Policy", toHex(claims.policyHash), "hash of the trust file that it enforces"),
  ];
}

function FactGroup({ group }: { group: QuoteFacts }) {
  return (
    <section aria-label={group.title}>
      <h3 className={styles.heading}>{group.title}</h3>
      <dl className={styles.facts}>
        {group.facts.map((fact) => (
          <div key={fact.label}>
            <dt>{fact.label}</dt>
            <dd>
              {fact.code ? <code>{fact.value}</code> : fact.value}
              <span className={styles.hint}>{fact.hint}</span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function PublicLinks({ quote, simulated }: { quote: Uint8Array; simulated: boolean }) {
  const [digest, setDigest] = useState<string | null>(null);
  useEffect(() => {
    void quoteSha256(quote).then(setDigest);
  }, [quote]);
  if (digest === null) return null;
  return (
    <section aria-label="Public explorers">
      <h3 className={styles.heading}>Elsewhere</h3>
      <p className={styles.hint}>
        {simulated ? "Public explorers know no simulated quotes. " : ""}These links leave this page; nothing
        is sent before you click, and they add nothing to what was verified here.
      </p>
      <ul className={styles.links}>
        {publicExplorers(digest).map((link) => (
          <li key={link.href}>
            <a href={link.href} target="_blank" rel="noopener noreferrer">
              {link.title} <ExternalLink aria-hidden />
              <span className="visually-hidden">(opens another site)</span>
            </a>{" "}
            {link.text}
          </li>
        ))}
      </ul>
    </section>
  );
}
