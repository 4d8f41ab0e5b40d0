#!/usr/bin/env node
// Deploys AllowlistVerifier, Registry and Ledger from forge's artefacts (run `npx forge build` first).
// usage: node tools/deploy.mjs --rpc URL --key-file FILE [--auditor ADDRESS ...] [--threshold N] [--json]
//   --key-file   file with the deployer's private key in hex; the deployer gets no rights, it only pays
//   --auditor    whose approvals admit nodes, may be repeated; without one no verifier is deployed
//   --threshold  how many auditors must approve, 1 if not given
// Prints the addresses and the first block that can hold an event of theirs.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createPublicClient, createWalletClient, getAddress, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

/** One of AllowlistVerifier, Ledger, Registry: { abi, bytecode }. */
export function loadArtifact(name) {
  const file = fileURLToPath(new URL(`../out/${name}.sol/${name}.json`, import.meta.url));
  if (!existsSync(file)) throw new Error(`no artefact of ${name}: run npx forge build in contracts/`);
  const { abi, bytecode } = JSON.parse(readFileSync(file, 'utf8'));
  return { abi, bytecode: bytecode.object };
}

/** The account of a key file; the key leaves it in signatures only. */
export function readAccount(file) {
  const text = readFileSync(file, 'utf8').trim();
  const match = /^(?:0x)?([0-9a-fA-F]{64})$/.exec(text);
  if (!match) throw new Error(`${file} does not hold a private key of 64 hex digits`);
  return privateKeyToAccount(`0x${match[1]}`);
}

export async function deployOne(publicClient, walletClient, account, name, args) {
  const { abi, bytecode } = loadArtifact(name);
  const hash = await walletClient.deployContract({ account, chain: null, abi, bytecode, args });
  const receipt = await publicClient.waitForTransactionReceipt({ hash });
  if (receipt.status !== 'success' || !receipt.contractAddress) throw new Error(`deploying ${name} failed in ${hash}`);
  return { address: getAddress(receipt.contractAddress), block: Number(receipt.blockNumber) };
}

/** Deploys all; resolves to { registry, ledger, verifier, block }, verifier null without auditors. */
export async function deploy({ rpc, account, auditors = [], threshold = 1, pollingInterval = 1000 }) {
  const transport = http(rpc);
  const publicClient = createPublicClient({ transport, pollingInterval });
  const walletClient = createWalletClient({ transport });
  const one = (name, args) => deployOne(publicClient, walletClient, account, name, args);
  const registry = await one('Registry', []);
  const ledger = await one('Ledger', [registry.address]);
  const verifier = auditors.length ? await one('AllowlistVerifier', [auditors, BigInt(threshold)]) : null;
  return {
    registry: registry.address,
    ledger: ledger.address,
    verifier: verifier?.address ?? null,
    block: registry.block,
  };
}

async function main() {
  const { values } = parseArgs({
    options: {
      rpc: { type: 'string' },
      'key-file': { type: 'string' },
      auditor: { type: 'string', multiple: true, default: [] },
      threshold: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
    },
  });
  if (!values.rpc || !values['key-file']) throw new Error('--rpc and --key-file are needed');
  const result = await deploy({
    rpc: values.rpc,
    account: readAccount(values['key-file']),
    auditors: values.auditor.map((a) => getAddress(a)),
    threshold: Number(values.threshold),
  });
  if (values.json) console.log(JSON.stringify(result));
  else for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(9)} ${value ?? '-'}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(`deploy: ${error.shortMessage ?? error.message}`);
    process.exitCode = 1;
  });
}
