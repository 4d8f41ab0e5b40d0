import { FlaskConical, MessageSquare, ShieldCheck, ShieldQuestion } from "lucide-react";
import { ethPerMillion } from "@/shared/lib/amount.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Badge, SeenBy } from "@/shared/ui/badge.tsx";
import { ButtonLink } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Facts } from "@/shared/ui/facts.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { NotYet } from "@/shared/ui/states.tsx";
import { Term } from "@/shared/ui/term.tsx";
import { type CardModel, organisations, sizeWords, slotsTaken, speedWords, type TrustView, trustView } from "../model-facts.ts";
import styles from "./model-card.module.css";
import { SlotBar } from "./slot-bar.tsx";

const VENDORS: Record<TrustView, string> = {
  simulated: "none: simulated",
  production: "Intel TDX",
  unlisted: "not known here",
  "no-trust": "not known here",
};

export function ModelCard({ model }: { model: CardModel }) {
  const { trust } = useSetup();
  const view = trustView(model, trust);
  const { taken, all } = slotsTaken(model);
  const speed = speedWords(model);
  return (
    <Card className={styles.card}>
      <header className={styles.head}>
        <div className={styles.title}>
          <h2>{model.name}</h2>
          <p className={styles.size}>{sizeWords(model)}</p>
        </div>
        <TrustBadge view={view} />
      </header>

      <div className={styles.stats}>
        <Figure name="Speed" value={speed?.rate ?? "not measured"} />
        <Figure name="First word after" value={speed?.first ?? "not measured"} />
        <Figure name="Live routes" value={String(model.routes)} />
      </div>
      <p className={styles.note}>
        <SeenBy who="gateway" /> {speed ? `mean of ${speed.samples} streamed ${speed.samples === 1 ? "answer" : "answers"}` : "no answer was streamed here yet"}
      </p>

      <section aria-label="Slots" className={styles.slots}>
        <div className={styles.slotsHead}>
          <h3>
            <Term name="slot">Slots</Term>
          </h3>
          <span>
            {taken} of {all} taken, {all - taken} free
          </span>
        </div>
        <SlotBar slots={model.slot_list} />
      </section>

      <Facts
        items={[
          ["To read your words", <Price key="in" wei={model.price_in} />],
          ["To write the answer", <Price key="out" wei={model.price_out} />],
          ["Organisations", organisations(model) || "none"],
          ["Vendors", VENDORS[view]],
          [<Term key="id" name="model id" />, <Hash key="h" value={model.model} label="model id" to={`/explorer/model/${model.model}`} />],
        ]}
      />
      {view === "unlisted" && <p className={styles.note}>Your trust file does not name this model, so this page asks it nothing.</p>}
      {view === "production" && <NotYet>AMD SEV-SNP machines, and images that anybody can rebuild.</NotYet>}
      <footer className={styles.foot}>
        {view === "simulated" || view === "production" ? (
          <ButtonLink to="/chat" kind="primary" icon={<MessageSquare aria-hidden />}>
            Chat
          </ButtonLink>
        ) : null}
        <ButtonLink to={`/pool/${model.model}/0`}>Host a slot</ButtonLink>
      </footer>
    </Card>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className={styles.figure}>
      <span className={styles.figureName}>{name}</span>
      <span className={styles.figureValue}>{value}</span>
    </div>
  );
}

function Price({ wei }: { wei: bigint }) {
  return (
    <span title={`${wei} wei per token`}>
      {ethPerMillion(wei)} ETH <span className={styles.unit}>per million tokens</span>
    </span>
  );
}

function TrustBadge({ view }: { view: TrustView }) {
  if (view === "simulated") {
    return (
      <Badge tone="warn" icon={<FlaskConical aria-hidden />} title="Evidence of this machine's own making: it protects nothing">
        Simulated
      </Badge>
    );
  }
  if (view === "production") {
    return (
      <Badge tone="ok" icon={<ShieldCheck aria-hidden />} title="Only evidence up to a vendor's root is accepted for it; each route is verified before you send">
        Production
      </Badge>
    );
  }
  return (
    <Badge icon={<ShieldQuestion aria-hidden />} title="Nothing about it is verified here">
      {view === "unlisted" ? "Not in your trust file" : "No trust file"}
    </Badge>
  );
}
