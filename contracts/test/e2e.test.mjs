// The whole life of a pool on a local chain: deploy, model, two hosts with a node each, tab mode, strict mode, payout.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createPublicClient, createWalletClient, http, keccak256, parseEther, toHex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { loadArtifact } from '../tools/deploy.mjs';
import * as td from '../tools/typed_data.mjs';
import { startAnvil } from './anvil.mjs';

const CHAIN_ID = 31337;
const DAY = 86400n;
const hash = (text) => keccak256(toHex(text));

const party = () => {
  const key = generatePrivateKey();
  return { key, account: privateKeyToAccount(key), address: privateKeyToAccount(key).address };
};

const deployer = party();
const auditor = party();
const user = party();
const session = party(); // signs the user's vouchers
const hosts = [party(), party()];
const nodes = [party(), party()]; // the keys inside the TEEs; they never send transactions
const outside = party().address;

let anvil;
let chain;
let deployed;
const contracts = {};
const domains = {};
const money = { deposited: 0n, withdrawn: 0n };
const slots = [
  { weights: hash('shard 0'), share: 3 },
  { weights: hash('shard 1'), share: 5 },
];
let model;
let modelId;
let line;

// ---------------------------------------------------------------- the chain

const read = (contract, functionName, args = []) =>
  chain.readContract({ ...contracts[contract], functionName, args });

async function send(from, contract, functionName, args, value = 0n) {
  const wallet = createWalletClient({ account: from.account, transport: http(anvil.rpc) });
  const request = { ...contracts[contract], functionName, args, value, account: from.account, chain: null };
  await chain.simulateContract(request); // reads the custom error, if any
  const receipt = await chain.waitForTransactionReceipt({ hash: await wallet.writeContract(request) });
  assert.equal(receipt.status, 'success');
  return receipt;
}

const refuses = (promise, error) =>
  assert.rejects(promise, (thrown) => {
    assert.equal(thrown.walk?.((cause) => cause.data?.errorName)?.data.errorName, error);
    return true;
  });

const now = async () => (await chain.getBlock()).timestamp;

async function pass(seconds) {
  await chain.request({ method: 'evm_increaseTime', params: [toHex(seconds)] });
  await chain.request({ method: 'evm_mine', params: [] });
}

const price = (tokensIn, tokensOut) => BigInt(tokensIn) * model.priceIn + BigInt(tokensOut) * model.priceOut;

/** Every wei in the Ledger belongs to somebody. */
async function assertConserved(openQueries = 0n) {
  const owners = [user, session, auditor, ...hosts, ...nodes];
  let sum = openQueries;
  for (const { address } of owners) sum += await read('ledger', 'balanceOf', [address]);
  const [funded, spent] = await read('ledger', 'tab', [user.address, line]);
  sum += funded - spent;
  for (const { address } of nodes) sum += (await read('ledger', 'account', [line, address]))[2];
  assert.equal(sum, money.deposited - money.withdrawn);
  assert.equal(await chain.getBalance({ address: deployed.ledger }), sum);
}

before(async () => {
  anvil = await startAnvil();
  chain = createPublicClient({ transport: http(anvil.rpc), pollingInterval: 20 });
  for (const { address } of [deployer, user, ...hosts]) {
    await chain.request({ method: 'anvil_setBalance', params: [address, toHex(parseEther('100'))] });
  }
});

after(() => anvil?.stop());

// ---------------------------------------------------------------- the story, in order

test('deploys from a key file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'teetee-'));
  try {
    const keyFile = join(folder, 'key');
    writeFileSync(keyFile, `${deployer.key}\n`, { mode: 0o600 });
    const script = fileURLToPath(new URL('../tools/deploy.mjs', import.meta.url));
    const args = [script, '--rpc', anvil.rpc, '--key-file', keyFile, '--auditor', auditor.address, '--json'];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.ok(!(stdout + stderr).includes(deployer.key.slice(2)));
    deployed = JSON.parse(stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
  contracts.registry = { address: deployed.registry, abi: loadArtifact('Registry').abi };
  contracts.ledger = { address: deployed.ledger, abi: loadArtifact('Ledger').abi };
  contracts.verifier = { address: deployed.verifier, abi: loadArtifact('AllowlistVerifier').abi };
  domains.ledger = td.ledgerDomain(CHAIN_ID, deployed.ledger);
  domains.verifier = td.allowlistDomain(CHAIN_ID, deployed.verifier);
  assert.equal(await read('ledger', 'registry'), deployed.registry);
  assert.deepEqual(await read('verifier', 'auditors'), [auditor.address]);
  assert.equal(deployed.block, 1);
});

test('anyone adds a model', async () => {
  model = {
    manifest: hash('manifest'),
    verifier: deployed.verifier,
    priceIn: parseEther('0.00001'),
    priceOut: parseEther('0.00003'),
    timeout: 60,
    lease: 30 * 86400,
    slots,
  };
  modelId = td.modelId(model);
  line = td.lineOf(modelId, nodes[0].address);
  await send(hosts[0], 'registry', 'addModel', [model]);
  const [family] = await read('registry', 'info', [modelId]);
  assert.equal(family, td.familyOf(model));
  assert.equal(await read('ledger', 'lineOf', [modelId, nodes[0].address]), line);
});

test('two hosts join with the approval of an auditor', async () => {
  for (const [slot, node] of nodes.entries()) {
    const block = await chain.getBlock();
    const reportData = td.joinReportData({
      chainId: CHAIN_ID,
      registry: deployed.registry,
      host: hosts[slot].address,
      key: node.address,
      weights: slots[slot].weights,
      blockHash: block.hash,
    });
    const expires = block.timestamp + 600n;
    const approval = { manifest: model.manifest, reportData, expires };
    const signature = await td.sign(auditor.key, domains.verifier, 'Approval', approval);
    const quote = td.allowlistQuote(reportData, expires, [signature]);
    const args = [modelId, slot, node.address, `https://node-${slot}.example`, quote, block.number];
    await pass(1); // the block's hash is known to the next one
    await refuses(send(user, 'registry', 'join', args), 'WrongReportData');
    await send(hosts[slot], 'registry', 'join', args);
    assert.ok(await read('registry', 'isLive', [modelId, slot, node.address]));
    assert.equal(await read('registry', 'hostOf', [node.address]), hosts[slot].address);
  }
});

test('the user buys credits and opens a tab', async () => {
  money.deposited += parseEther('10');
  await send(user, 'ledger', 'buy', [user.address], parseEther('10'));
  await send(user, 'ledger', 'fund', [modelId, nodes[0].address, parseEther('2'), session.address]);
  await assertConserved();
});

test('the head settles a batch with the work of slot 1', async () => {
  const tokens = { tokensIn: 1000, tokensOut: 2001 };
  const used = price(tokens.tokensIn, tokens.tokensOut);
  const receipts = [0, 1, 2].map((i) => ({
    query: td.tabQueryId(line, hash(`request ${i}`)),
    line,
    input: hash(`prompt ${i}`),
    output: hash(`answer ${i}`),
    ...(i === 0 ? { ...tokens, cost: used } : { tokensIn: 0, tokensOut: 0, cost: 0n }),
    transcript: hash(`transcript ${i}`),
  }));
  const leaves = receipts.map((r) => td.structHash('Receipt', r));
  const voucher = { user: user.address, line, epoch: 0, total: used + 5n };
  const work = { line, slot: 1, key: nodes[1].address, total: used };
  const batch = {
    seq: 1n,
    count: receipts.length,
    root: td.merkleRoot(leaves),
    charges: [{ ...voucher, used, ...(await td.sign(session.key, domains.ledger, 'Voucher', voucher)) }],
    work: [{ ...work, ...(await td.sign(nodes[1].key, domains.ledger, 'Work', work)) }],
  };
  const message = td.batchMessage(line, batch);
  const { r, vs } = await td.sign(nodes[0].key, domains.ledger, 'Batch', message);
  const args = [modelId, nodes[0].address, batch, r, vs];
  await refuses(
    send(user, 'ledger', 'settleBatch', [modelId, nodes[0].address, { ...batch, charges: [] }, r, vs]),
    'WrongSigner',
  );
  await send(user, 'ledger', 'settleBatch', args); // anyone may send it
  await refuses(send(user, 'ledger', 'settleBatch', args), 'WrongSequence');
  assert.equal((await read('ledger', 'tab', [user.address, line]))[1], used);
  assert.equal((await read('ledger', 'account', [line, nodes[0].address]))[2], (used * 3n) / 8n);
  assert.equal((await read('ledger', 'account', [line, nodes[1].address]))[2], used - (used * 3n) / 8n);
  for (const [i, receipt] of receipts.entries()) {
    const proof = td.merkleProof(leaves, i);
    assert.ok(await read('ledger', 'verifyReceipt', [receipt, 1n, proof]));
    assert.ok(!(await read('ledger', 'verifyReceipt', [{ ...receipt, cost: 1n }, 1n, proof])));
  }
  await assertConserved();
});

async function openQuery(nonce) {
  const query = {
    user: user.address,
    model: modelId,
    head: nodes[0].address,
    input: hash(`strict prompt ${nonce}`),
    maxCost: parseEther('0.5'),
    deadline: (await now()) + 600n,
    nonce,
  };
  const id = td.digest(domains.ledger, 'Query', query);
  assert.equal(await read('ledger', 'queryId', [query]), id);
  return { query, id };
}

test('a strict query is opened by signature and settled', async () => {
  const { query, id } = await openQuery(1n);
  const { r, vs } = await td.sign(user.key, domains.ledger, 'Query', query);
  await send(hosts[0], 'ledger', 'openSigned', [query, r, vs]);
  await assertConserved(query.maxCost);
  const receipt = {
    query: id,
    line,
    input: query.input,
    output: hash('strict answer'),
    tokensIn: 100,
    tokensOut: 201,
    cost: price(100, 201),
    transcript: hash('transcript'),
  };
  const part = { query: id, slot: 1, key: nodes[1].address, tokensIn: 100, tokensOut: 201 };
  const parts = [{ ...part, ...(await td.sign(nodes[1].key, domains.ledger, 'Part', part)) }];
  const signed = await td.sign(nodes[0].key, domains.ledger, 'Receipt', receipt);
  await refuses(send(hosts[1], 'ledger', 'settle', [query, receipt, [], signed.r, signed.vs]), 'NotCovered');
  await send(hosts[1], 'ledger', 'settle', [query, receipt, parts, signed.r, signed.vs]);
  assert.equal(await read('ledger', 'record', [id]), td.structHash('Receipt', receipt));
  const [served] = await chain.getContractEvents({
    ...contracts.ledger,
    eventName: 'Served',
    fromBlock: BigInt(deployed.block),
  });
  assert.deepEqual(served.args.r, receipt);
  await assertConserved();
});

test('another is refunded after its deadline', async () => {
  const before = await read('ledger', 'balanceOf', [user.address]);
  const { query, id } = await openQuery(2n);
  await send(user, 'ledger', 'open', [query]);
  await assertConserved(query.maxCost);
  await refuses(send(hosts[0], 'ledger', 'refund', [query]), 'TooEarly');
  await pass(601n);
  await send(hosts[0], 'ledger', 'refund', [query]);
  assert.equal(BigInt(await read('ledger', 'record', [id])), 2n);
  assert.equal(await read('ledger', 'balanceOf', [user.address]), before);
  await assertConserved();
});

test('a host asks for free', async () => {
  const { query } = await openQuery(3n);
  await send(hosts[1], 'ledger', 'open', [{ ...query, user: hosts[1].address, maxCost: 0n }]);
  await refuses(send(user, 'ledger', 'open', [{ ...query, maxCost: 0n }]), 'NotUser');
  await assertConserved();
});

test('the head releases the tab', async () => {
  const [, spent, , epoch] = await read('ledger', 'tab', [user.address, line]);
  const release = { user: user.address, line, epoch, used: spent };
  const { r, vs } = await td.sign(nodes[0].key, domains.ledger, 'Release', release);
  await send(user, 'ledger', 'release', [user.address, modelId, nodes[0].address, epoch, spent, r, vs]);
  assert.equal((await read('ledger', 'tab', [user.address, line]))[3], epoch + 1);
  await assertConserved();
});

test('hosts collect and everybody withdraws', async () => {
  await pass(40n * DAY); // leases and grace are over
  for (const node of nodes) await send(user, 'ledger', 'collect', [line, node.address]);
  await assertConserved();
  for (const owner of [user, ...hosts]) {
    const balance = await read('ledger', 'balanceOf', [owner.address]);
    assert.ok(balance > 0n);
    await send(owner, 'ledger', 'withdraw', [balance, outside]);
    money.withdrawn += balance;
    await assertConserved();
  }
  assert.equal(await chain.getBalance({ address: outside }), parseEther('10'));
  assert.equal(await chain.getBalance({ address: deployed.ledger }), 0n);
});
