// The second opinion on the chain: viem. Reads one JSON object from stdin ("do" names the job), writes one to stdout.
// Amounts are decimal strings. Every job takes rpc, registry, ledger, chain_id where it needs them.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { loadArtifact, readAccount } from '../../../contracts/tools/deploy.mjs';

const require = createRequire(new URL('../../../contracts/package.json', import.meta.url));
const viem = await import(pathToFileURL(require.resolve('viem')).href);
const accounts = await import(pathToFileURL(require.resolve('viem/accounts')).href);

const job = JSON.parse(readFileSync(0, 'utf8'));
const ledgerAbi = loadArtifact('Ledger').abi;
const registryAbi = loadArtifact('Registry').abi;
const chain = viem.createPublicClient({ transport: viem.http(job.rpc), pollingInterval: 200 });
const plain = (value) => JSON.parse(JSON.stringify(value, (_, v) => (typeof v === 'bigint' ? v.toString() : v)));

const read = (functionName, args, blockNumber) => chain.readContract({ address: job.ledger, abi: ledgerAbi, functionName, args, blockNumber });
const domain = () => ({ name: 'TeeTee', version: '1', chainId: job.chain_id, verifyingContract: job.ledger });
const fieldsOf = (text) => text.split(',').map((field) => ({ type: field.split(' ')[0], name: field.split(' ')[1] }));
const RECEIPT = fieldsOf('bytes32 query,bytes32 line,bytes32 input,bytes32 output,uint32 tokensIn,uint32 tokensOut,uint128 cost,bytes32 transcript');

/** The receipt of a bundle (members as in docs/formats/receipt.md) as the contract's struct. */
const receiptOf = (r) => ({
  query: r.query, line: r.line, input: r.input, output: r.output, tokensIn: r.tokens_in, tokensOut: r.tokens_out, cost: BigInt(r.cost), transcript: r.transcript,
});
const receiptHash = (r) => viem.hashStruct({ types: { Receipt: RECEIPT }, primaryType: 'Receipt', data: receiptOf(r) });

async function events(toBlock) {
  const out = [];
  for (const [address, abi] of [[job.ledger, ledgerAbi], [job.registry, registryAbi]]) {
    for (const log of await chain.getLogs({ address, fromBlock: 0n, toBlock })) {
      const { eventName, args } = viem.decodeEventLog({ abi, data: log.data, topics: log.topics });
      out.push({ name: eventName, args, block: log.blockNumber, index: log.logIndex, tx: log.transactionHash });
    }
  }
  return out.sort((a, b) => Number(a.block - b.block) || a.index - b.index);
}

const unique = (list) => [...new Set(list.map((item) => JSON.stringify(item)))].map((text) => JSON.parse(text));

/** Everything about the money at one block: events up to it, and what the contract says at it. */
async function snapshot() {
  const block = await chain.getBlockNumber();
  const all = await events(block);
  const of = (name) => all.filter((e) => e.name === name).map((e) => e.args);
  const people = unique([...of('Bought').map((a) => a.user), ...of('TabFunded').map((a) => a.user), ...of('Opened').map((a) => a.user), ...of('Collected').map((a) => a.host), ...of('NodeJoined').map((a) => a.host), ...of('Withdrawn').map((a) => a.user)]);
  const pairs = async (list, get) => Promise.all(list.map(async (pair) => ({ pair, value: await get(pair) })));
  return {
    block,
    events: all,
    held: await chain.getBalance({ address: job.ledger, blockNumber: block }),
    balances: await pairs(people, (a) => read('balanceOf', [a], block)),
    tabs: await pairs(unique(of('TabFunded').map((a) => [a.user, a.line])), (p) => read('tab', p, block)),
    accounts: await pairs(unique(of('Earned').map((a) => [a.line, a.key])), (p) => read('account', p, block)),
    records: await pairs(unique(of('Opened').map((a) => a.query)), (id) => read('record', [id], block)),
  };
}

async function send(keyFile, address, abi, functionName, args, value) {
  const account = readAccount(keyFile);
  const wallet = viem.createWalletClient({ account, transport: viem.http(job.rpc) });
  const hash = await wallet.writeContract({ address, abi, functionName, args, value, chain: null });
  const receipt = await chain.waitForTransactionReceipt({ hash });
  return { tx: hash, status: receipt.status };
}

const queryOf = (q) => ({ ...q, maxCost: BigInt(q.maxCost), deadline: BigInt(q.deadline), nonce: BigInt(q.nonce) });

const jobs = {
  snapshot,
  /** { receipts } -> hashes, and whether the chain has them: { hash, seq?, proof? } of the gateway in `proofs`. */
  async receipts() {
    return Promise.all(job.receipts.map(async (r, i) => {
      const hash = receiptHash(r);
      const proof = job.proofs?.[i];
      return { hash, included: proof ? await read('verifyReceipt', [receiptOf(r), BigInt(proof.seq), proof.proof]) : undefined, record: await read('record', [r.query]) };
    }));
  },
  /** A signature of the receipt by a key made up now, in compact form. */
  async forge() {
    const account = accounts.privateKeyToAccount(accounts.generatePrivateKey());
    const signature = await account.signTypedData({ domain: domain(), types: { Receipt: RECEIPT }, primaryType: 'Receipt', message: receiptOf(job.receipt) });
    return { signature: viem.serializeCompactSignature(viem.signatureToCompactSignature(viem.parseSignature(signature))).slice(2), signer: account.address };
  },
  /** Who signed the receipt. */
  async signer() {
    const signature = viem.serializeSignature(viem.compactSignatureToSignature(viem.parseCompactSignature(`0x${job.signature.replace(/^0x/, '')}`)));
    return { signer: await viem.recoverTypedDataAddress({ domain: domain(), types: { Receipt: RECEIPT }, primaryType: 'Receipt', message: receiptOf(job.receipt), signature }) };
  },
  /** A host's own join, with the quote that an auditor made ready. */
  join: () => send(job.key_file, job.registry, registryAbi, 'join', [job.model, job.slot, job.key, job.url, job.quote, BigInt(job.block_number)]),
  selector: () => ({ selector: viem.toFunctionSelector(job.function) }),
  newKey: () => ({ key: accounts.generatePrivateKey() }),
  address: () => ({ address: readAccount(job.key_file).address }),
  async terms() {
    const [priceIn, priceOut, upTo] = await chain.readContract({ address: job.registry, abi: registryAbi, functionName: 'terms', args: [job.model] });
    return { priceIn, priceOut, upTo, timeout: await chain.readContract({ address: job.registry, abi: registryAbi, functionName: 'timeoutOf', args: [job.model] }) };
  },
  /** Buys credit and opens a query that nobody will serve. */
  async open() {
    const user = readAccount(job.key_file).address;
    const { timestamp } = await chain.getBlock();
    const query = { user, model: job.model, head: job.head, input: viem.keccak256('0x01'), maxCost: job.max_cost, deadline: String(Number(timestamp) + job.seconds), nonce: String(Date.now()) };
    await send(job.key_file, job.ledger, ledgerAbi, 'buy', [user], BigInt(job.max_cost));
    return { query, id: await read('queryId', [queryOf(query)]), ...(await send(job.key_file, job.ledger, ledgerAbi, 'open', [queryOf(query)])) };
  },
  async refund() {
    try {
      return await send(job.key_file, job.ledger, ledgerAbi, 'refund', [queryOf(job.query)]);
    } catch (error) {
      const reverted = error.walk?.((e) => e instanceof viem.ContractFunctionRevertedError);
      return { status: 'reverted', error: reverted?.data?.errorName ?? error.shortMessage };
    }
  },
};

console.log(JSON.stringify(plain(await jobs[job.do]())));
