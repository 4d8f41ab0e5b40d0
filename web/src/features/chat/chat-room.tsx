// The chat with an open vault: conversations beside, the thread, the composer.
import { PanelLeft, SlidersHorizontal } from "lucide-react";
import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import type { RouteResult } from "@/shared/client/route.ts";
import { IconButton } from "@/shared/ui/button.tsx";
import { Dialog } from "@/shared/ui/dialog.tsx";
import { Skeleton } from "@/shared/ui/states.tsx";
import type { Vault } from "@/shared/vault/vault.ts";
import type { TrustFile } from "@/shared/verify/trust-file.ts";
import styles from "./chat.module.css";
import { type Conversation, DEFAULT_PARAMETERS, isRunning, lastReply, type Parameters, type PayMode } from "./model/conversation.ts";
import { Composer } from "./parts/composer.tsx";
import { ConversationList } from "./parts/conversation-list.tsx";
import { FundingDialog } from "./parts/funding-dialog.tsx";
import { ParametersDialog } from "./parts/parameters-dialog.tsx";
import { PayBar } from "./parts/pay-bar.tsx";
import { RouteLock } from "./parts/route-lock.tsx";
import { Thread } from "./parts/thread.tsx";
import { useChatStore } from "./use-chat-store.ts";
import { useClient, useTabs } from "./use-client.ts";
import { useEngine } from "./use-engine.ts";
import { useFunding } from "./use-funding.ts";
import { useRoute } from "./use-route.ts";
import { useSettlement } from "./use-settlement.ts";
import { Welcome } from "./welcome.tsx";

const PAY_KEY = "teetee.pay";

function keptPay(): PayMode {
  const kept = localStorage.getItem(PAY_KEY);
  return kept === "strict" || kept === "free" ? kept : "tab";
}

// Why nothing can be sent now; null: it can.
export function whyBlocked(result: RouteResult | undefined, hasEngine: boolean): string | null {
  if (result === undefined) return "The route is being verified.";
  if (!result.ok) return "The route is not verified, so nothing is sent.";
  return hasEngine ? null : "The wallet is not ready.";
}

export function ChatRoom({ vault, trust }: { vault: Vault; trust: TrustFile }) {
  const { id } = useParams();
  const navigate = useNavigate();
  const client = useClient();
  const tabs = useTabs(client);
  const funding = useFunding();
  const engine = useEngine(funding.confirm);
  const { store, snapshot } = useChatStore(vault, engine);
  const conversation = id === undefined ? undefined : snapshot.conversations.find((one) => one.id === id);
  const models = [...trust.models.keys()];
  const [nextModel, setNextModel] = useState(models[0] ?? "");
  const [nextParameters, setNextParameters] = useState<Parameters>(DEFAULT_PARAMETERS);
  const [pay, setPay] = useState<PayMode>(keptPay);
  const model = conversation?.model ?? nextModel;
  const route = useRoute(client, model);
  useSettlement(client, vault, store, conversation);

  const choosePay = (mode: PayMode) => {
    localStorage.setItem(PAY_KEY, mode);
    setPay(mode);
  };
  const send = (text: string) => {
    const target = conversation?.id ?? store.create(model, nextParameters);
    if (target !== id) void navigate(`/chat/${target}`);
    void store.send(target, text, pay);
  };
  const remove = (gone: string) => {
    void store.remove(gone);
    if (gone === id) void navigate("/chat");
  };
  const configure = (change: { model?: string; parameters?: Parameters }) => {
    if (conversation) store.configure(conversation.id, change);
    if (change.model !== undefined) setNextModel(change.model);
    if (change.parameters !== undefined) setNextParameters(change.parameters);
  };
  const last = conversation && lastReply(conversation);
  const running = last !== undefined && isRunning(last);
  const list = <ConversationList conversations={snapshot.conversations} current={id} onRemove={remove} />;
  return (
    <div className={styles.room}>
      <h1 className="visually-hidden">{conversation?.title || "Chat"}</h1>
      <aside className={styles.side}>{list}</aside>
      <div className={styles.main}>
        <Bar
          list={list}
          model={model}
          models={models}
          parameters={conversation?.parameters ?? nextParameters}
          onChange={configure}
          lock={<RouteLock result={route.data} pending={route.isPending} />}
        />
        {!snapshot.loaded ? (
          <div className={styles.loading}>
            <Skeleton height={4} count={3} />
          </div>
        ) : conversation ? (
          <RoomThread conversation={conversation} pay={pay} store={store} />
        ) : (
          <Welcome unknown={id !== undefined} route={route.data} blocked={whyBlocked(route.data, engine !== null) !== null} onAsk={send} />
        )}
        <Composer blocked={whyBlocked(route.data, engine !== null)} running={running} onSend={send} onStop={() => last && void store.stop(last.id)}>
          <PayBar mode={pay} route={route.data?.ok ? route.data.route : null} tabs={tabs} onMode={choosePay} />
        </Composer>
      </div>
      {funding.question && <FundingDialog funding={funding.question.funding} onAnswer={funding.question.answer} />}
    </div>
  );
}

function RoomThread({ conversation, pay, store }: { conversation: Conversation; pay: PayMode; store: ReturnType<typeof useChatStore>["store"] }) {
  const { id } = conversation;
  return (
    <Thread
      key={id}
      conversation={conversation}
      onEdit={(questionId, text) => void store.edit(id, questionId, text, pay)}
      onRegenerate={(replyId) => void store.regenerate(id, replyId, pay)}
      onResume={(replyId) => void store.resume(id, replyId)}
    />
  );
}

interface BarProps {
  list: React.ReactNode;
  lock: React.ReactNode;
  model: string;
  models: readonly string[];
  parameters: Parameters;
  onChange: (change: { model?: string; parameters?: Parameters }) => void;
}

function Bar({ list, lock, model, models, parameters, onChange }: BarProps) {
  const [listOpen, setListOpen] = useState(false);
  const [settingsOpen, setSettingsOpen] = useState(false);
  return (
    <header className={styles.bar}>
      <span className={styles.listButton}>
        <IconButton label="Conversations" onClick={() => setListOpen(true)}>
          <PanelLeft aria-hidden />
        </IconButton>
      </span>
      <select className={styles.model} aria-label="Model" value={model} onChange={(event) => onChange({ model: event.target.value })}>
        {models.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <span className={styles.space} />
      {lock}
      <IconButton label="Settings of this conversation" onClick={() => setSettingsOpen(true)}>
        <SlidersHorizontal aria-hidden />
      </IconButton>
      <Dialog open={listOpen} onClose={() => setListOpen(false)} title="Conversations">
        {/* A click on a link of the list closes it. */}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: the links inside do the work */}
        {/* biome-ignore lint/a11y/useKeyWithClickEvents: Enter on a link is a click */}
        <div onClick={(event) => (event.target as HTMLElement).closest("a") && setListOpen(false)}>{list}</div>
      </Dialog>
      {settingsOpen && <ParametersDialog parameters={parameters} onClose={() => setSettingsOpen(false)} onChange={(next) => onChange({ parameters: next })} />}
    </header>
  );
}
