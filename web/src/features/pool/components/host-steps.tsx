// Wallet, file, checks, join, and renewal of own nodes: what a host does on a slot's page.
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useConnection } from "wagmi";
import type { ModelFacts } from "@/shared/gateway/get-model.ts";
import type { ListedNode } from "@/shared/gateway/get-nodes.ts";
import type { JoinRequest } from "@/shared/hosting/join.ts";
import { JoinSteps } from "@/shared/hosting/join-steps.tsx";
import { useJoin } from "@/shared/hosting/use-join.ts";
import { useWorld, type World } from "@/shared/hosting/world.ts";
import { formatBytes } from "@/shared/lib/format.ts";
import { useSetup } from "@/shared/setup/setup.tsx";
import { Button, ButtonLink } from "@/shared/ui/button.tsx";
import { Card } from "@/shared/ui/card.tsx";
import { Hash } from "@/shared/ui/hash.tsx";
import { useWalletDialogs } from "@/shared/wallet/wallet-context.tsx";
import { poolQuery } from "../api/get-pool.ts";
import { type ComposeInput, isPinnedImage } from "../lib/compose.ts";
import type { Machine } from "../lib/instructions.ts";
import { composeSlotKey, keepCompose, keptComposes } from "../lib/kept-composes.ts";
import type { CheckTarget } from "../lib/run-checks.ts";
import { kvMegabytesFor, type SlotShape, slotNeeds } from "../lib/slot-needs.ts";
import { useCheck } from "../use-check.ts";
import { useCompose, useComposeSettings } from "../use-compose.ts";
import { CheckPanel } from "./check-panel.tsx";
import { DeployPanel } from "./deploy-panel.tsx";
import { JoinPanel } from "./join-panel.tsx";
import { OwnNodes } from "./own-nodes.tsx";

export interface HostStepsProps {
  facts: ModelFacts;
  slot: number;
  shape: SlotShape;
  own: readonly ListedNode[];
}

export function HostSteps({ facts, slot, shape, own }: HostStepsProps) {
  const setup = useSetup();
  const { address } = useConnection();
  const pool = useQuery(poolQuery(setup.gateway));
  const world = useWorld();
  const check = useCheck();
  const join = useJoin();
  const renewal = useJoin();
  // Whether the join that runs or ran began as a renewal: afterwards the node is in the slot in either case.
  const [renews, setRenews] = useState(false);
  const compose = useDeploy(facts, slot, shape, pool.data?.image ?? setup.config.image);
  const entry = facts.manifest.slots[slot];
  if (!entry) return null;
  const composeHashes = () => [
    ...new Set([...(compose.files ? [compose.files.app.hash] : []), ...keptComposes(compose.key)]),
  ];
  const target = (url: string): CheckTarget => ({
    url,
    model: facts.id,
    slot,
    host: address ?? "",
    weights: facts.params.slots[slot]?.weights ?? "",
    manifestHash: facts.manifestHash,
    knownAnswers: entry.kats,
    composeHashes: composeHashes(),
  });
  const requestOf = (key: string, url: string): JoinRequest => ({
    url,
    model: facts.id,
    slot,
    key,
    host: address ?? "",
    weights: facts.params.slots[slot]?.weights ?? "",
  });
  const isOwn = own.some((node) => node.key === check.key?.toLowerCase());
  const startJoin = () => {
    if (!world || !check.key || !check.target) return;
    setRenews(isOwn);
    void join.start(world, requestOf(check.key, check.target.url));
  };
  return (
    <>
      {own.length > 0 && (
        <OwnNodes
          nodes={own}
          registry={setup.registry}
          renewing={renewal.running ? renewal.node : null}
          canRenew={world !== null}
          onRenew={(node) => world && void renewal.start(world, requestOf(node.key, node.url))}
        />
      )}
      {renewal.steps.length > 0 && (
        <Card title={renewal.done ? "The lease is renewed" : "Renewing the lease"}>
          <JoinSteps steps={renewal.steps} />
        </Card>
      )}
      <WalletStep />
      <DeployPanel
        {...compose.panel}
        slot={slot}
        shardFile={entry.file}
        shardSha256={entry.file_sha256}
        memory={formatBytes(slotNeeds(shape).recommendedBytes)}
        simulated={setup.simulated}
      />
      <CheckPanel
        list={check.list}
        running={check.running}
        blocked={blockedBecause(setup, address, world)}
        onStart={(url) => world && void check.start(world, target(url))}
      />
      <JoinPanel
        nodeKey={check.target?.host === address ? check.key : null}
        auditor={pool.data?.auditor ?? null}
        already={join.steps.length > 0 ? renews : isOwn}
        steps={join.steps}
        running={join.running}
        done={join.done}
        tx={join.tx}
        onJoin={startJoin}
      />
    </>
  );
}

function blockedBecause(
  setup: ReturnType<typeof useSetup>,
  address: string | undefined,
  world: World | null,
): string | null {
  if (!setup.trust)
    return "A trust file is needed: it says which hardware and which releases you believe. Import yours in the settings.";
  if (!address) return "Connect the wallet that is paid: the node’s evidence must name it.";
  return world ? null : "The chain cannot be asked: name an RPC in the settings.";
}

function useDeploy(facts: ModelFacts, slot: number, shape: SlotShape, image: string | null) {
  const { trust, rpc, simulated } = useSetup();
  const { address } = useConnection();
  const [settings, change] = useComposeSettings(rpc);
  const [machine, setMachine] = useState<Machine>(simulated ? "local" : "phala");
  const key = composeSlotKey(facts.id, slot, address ?? "");
  const entry = facts.manifest.slots[slot];
  const input = useMemo<ComposeInput | null>(() => {
    if (!address || !trust || !entry || !isPinnedImage(image)) return null;
    return {
      image,
      target: machine === "tdx" || machine === "snp" ? "bare" : "dstack",
      modelId: facts.id,
      modelName: facts.manifest.name,
      modelParams: paramsText(facts),
      trust: trust.text,
      slot,
      shardFile: entry.file,
      shardSha256: entry.file_sha256,
      host: address,
      kvMegabytes: kvMegabytesFor(shape),
      ...settings,
    };
  }, [address, trust, entry, image, machine, facts, slot, shape, settings]);
  const { files, problem } = useCompose(input);
  const panel = {
    image: isPinnedImage(image) ? image : null,
    files,
    problem,
    ...settings,
    onRpc: (value: string) => change({ rpc: value }),
    onAdvertise: (advertise: string) => change({ advertise }),
    machine,
    onMachine: setMachine,
    onTaken: (hash: string) => keepCompose(key, hash),
  };
  return { key, files, panel };
}

// The file that teetee-node reads with --model-params: the gateway's own spelling of the parameters.
function paramsText({ params }: ModelFacts): string {
  return JSON.stringify({
    ...params,
    price_in: String(params.price_in),
    price_out: String(params.price_out),
  });
}

function WalletStep() {
  const { address } = useConnection();
  const { connect } = useWalletDialogs();
  return (
    <Card title="1. The wallet that is paid">
      {address ? (
        <p>
          <Hash value={address} label="address" to={`/explorer/address/${address.toLowerCase()}`} /> will be
          named in the evidence, and receives what the node earns. To use another one, change it in the
          wallet.
        </p>
      ) : (
        <>
          <p>Its address goes into the file and into the evidence. Nothing is signed now.</p>
          <div>
            <Button kind="primary" onClick={connect}>
              Connect a wallet
            </Button>
          </div>
        </>
      )}
      <NoTrust />
    </Card>
  );
}

function NoTrust() {
  const { trust } = useSetup();
  if (trust) return null;
  return (
    <p>
      No trust file is in use, so this page can verify nothing.{" "}
      <ButtonLink to="/settings" size="s">
        Import one
      </ButtonLink>
    </p>
  );
}
