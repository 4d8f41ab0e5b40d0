// The local chain of `./dev up`: anvil with its state on disk, funded demo accounts, contracts, the model's registration.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { deploy, loadArtifact, readAccount } from '../../contracts/tools/deploy.mjs';

const contractsRequire = createRequire(new URL('../../contracts/package.json', import.meta.url));
const viem = await import(pathToFileURL(contractsRequire.resolve('viem')).href);
const accounts = await import(pathToFileURL(contractsRequire.resolve('viem/accounts')).href);

export const CHAIN_ID = 31337;
const DEMO_BALANCE = 1000n * 10n ** 18n; // wei: the development chain gives it, it is worth nothing

export const ROLES = ['user', 'visitor', 'host1', 'host2', 'publisher', 'gas'];

/** Makes the demo keys (0600) that do not exist yet; resolves to { role: { file, address } }. */
export function demoAccounts(folder) {
  const out = {};
  for (const role of ROLES) {
    const file = join(folder, `${role}.key`);
    if (!existsSync(file)) writeFileSync(file, `${accounts.generatePrivateKey()}\n`, { mode: 0o600 });
    out[role] = { file, address: readAccount(file).address };
  }
  return out;
}

export const client = (rpc) => viem.createPublicClient({ transport: viem.http(rpc), pollingInterval: 200 });

export async function fund(rpc, addresses) {
  const chain = client(rpc);
  for (const address of addresses) {
    if ((await chain.getBalance({ address })) > DEMO_BALANCE / 2n) continue;
    await chain.request({ method: 'anvil_setBalance', params: [address, viem.toHex(DEMO_BALANCE)] });
  }
}

/** Contracts of an earlier run, if the chain still has them; else new ones. */
export async function contracts(rpc, file, demo) {
  const chain = client(rpc);
  if (existsSync(file)) {
    const known = JSON.parse(readFileSync(file, 'utf8'));
    const code = await chain.getCode({ address: known.ledger });
    if (code && code !== '0x') return known;
  }
  const made = await deploy({ rpc, account: readAccount(demo.publisher.file), auditors: [demo.publisher.address], threshold: 1, pollingInterval: 200 });
  writeFileSync(file, `${JSON.stringify(made, null, 2)}\n`);
  return made;
}

/** Registers the model unless it is there; resolves to its id. */
export async function registerModel(rpc, registry, params, demo) {
  const chain = client(rpc);
  const { abi } = loadArtifact('Registry');
  const model = {
    manifest: params.manifest,
    verifier: params.verifier,
    priceIn: BigInt(params.price_in),
    priceOut: BigInt(params.price_out),
    timeout: params.timeout,
    lease: params.lease,
    slots: params.slots,
  };
  const timeout = (id) => chain.readContract({ address: registry, abi, functionName: 'timeoutOf', args: [id] });
  const account = readAccount(demo.publisher.file);
  const { components } = abi.find((item) => item.name === 'addModel').inputs[0];
  const id = viem.keccak256(viem.encodeAbiParameters([{ type: 'tuple', components }], [model]));
  if ((await timeout(id)) > 0) return id;
  const wallet = viem.createWalletClient({ account, transport: viem.http(rpc) });
  const hash = await wallet.writeContract({ address: registry, abi, functionName: 'addModel', args: [model], chain: null });
  const receipt = await chain.waitForTransactionReceipt({ hash });
  if (receipt.status !== 'success') throw new Error('registering the model failed on chain');
  return id;
}
