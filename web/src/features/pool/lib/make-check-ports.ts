// The ends of run-checks.ts in the world: gateway, node behind its relay, verifier, and the chain through the user's own RPC.
import { bytesToHex, type Hash } from "viem";
import { registryAbi } from "@/shared/chain/abi.ts";
import { parseNodeEvidence } from "@/shared/evidence/node-evidence.ts";
import { relay, relayJson } from "@/shared/hosting/relay.ts";
import type { World } from "@/shared/hosting/world.ts";
import { makeChallenge } from "@/shared/seal/challenge.ts";
import type { Address as NodeAddress } from "@/shared/verify/bytes.ts";
import { checkNode } from "../api/check-node.ts";
import { judgeForPool } from "./judge-evidence.ts";
import { recoverKnownAnswerSigner } from "./recover-signer.ts";
import type { CheckPorts, CheckTarget, JudgedClaims } from "./run-checks.ts";

export function makeCheckPorts(world: World, target: CheckTarget, signal: AbortSignal): CheckPorts {
  const { gateway, client, registry, trust } = world;
  const { url, model, slot, host } = target;
  return {
    gatewayChecks: (onEvent) => checkNode(gateway, { url, model, slot, host }, onEvent, signal),
    judgeEvidence: async () => {
      const shown = parseNodeEvidence(await relayJson(gateway, url, "/v1/teetee/evidence", null, signal));
      return judgeForPool(shown, trust, Math.floor(Date.now() / 1000));
    },
    proveHpke: (claims) =>
      proveHpke(claims, (wire) => relay(gateway, url, "/v1/teetee/challenge", wire, signal)),
    chainManifest: async () => {
      const args = [model as Hash] as const;
      const info = await client.readContract({
        address: registry,
        abi: registryAbi,
        functionName: "info",
        args,
      });
      return info[6];
    },
    nodeManifestHash: async () => sha256(await relay(gateway, url, "/v1/teetee/manifest", null, signal)),
    blockHash: async (blockNumber) =>
      (await client.getBlock({ blockNumber }).catch(() => null))?.hash ?? null,
    knownAnswer: (nonce) => relayJson(gateway, url, "/v1/teetee/known-answer", { nonce }, signal),
    knownAnswerSigner: recoverKnownAnswerSigner,
    nonce: () => bytesToHex(crypto.getRandomValues(new Uint8Array(32))).slice(2),
  };
}

type Send = (wire: Uint8Array) => Promise<Uint8Array>;

export async function proveHpke(claims: JudgedClaims, send: Send): ReturnType<CheckPorts["proveHpke"]> {
  const challenge = await makeChallenge(claims.hpkeKey, claims.signer as NodeAddress);
  const answer = await send(challenge.wire);
  const facts = [
    { label: "Key (X25519)", value: bytesToHex(claims.hpkeKey), code: true },
    { label: "Sealed challenge", value: bytesToHex(challenge.wire), code: true },
    { label: "Answer", value: bytesToHex(answer), code: true },
  ];
  const ok = challenge.isAnsweredBy(answer);
  return {
    ok,
    facts,
    reason: ok
      ? ""
      : "The answer is not that of the key which the evidence names: somebody swapped the node or its key.",
  };
}

async function sha256(bytes: Uint8Array): Promise<string> {
  return bytesToHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes))));
}
