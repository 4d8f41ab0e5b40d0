// Compares the C++ encodings (build/bin/chain_vectors) with viem's on random vectors: hashes, addresses, transactions, typed data,
// calldata, ids, events, errors, Merkle roots. Run by `./dev test`. TEETEE_SEED repeats a run; TEETEE_BIN names another build.
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);
const contracts = createRequire(new URL('contracts/package.json', root));
const viem = contracts('viem');
const { privateKeyToAccount } = contracts('viem/accounts');
const { concatHex, encodeAbiParameters, encodeDeployData, encodeEventTopics, encodeErrorResult, encodeFunctionData, getAddress,
  hashTypedData, keccak256, parseAbi, parseAbiItem, parseAbiParameters, toHex } = viem;

const seed = process.env.TEETEE_SEED ?? randomBytes(8).toString('hex');
const program = process.env.TEETEE_BIN ?? fileURLToPath(new URL('build/bin/chain_vectors', root));

// ---- random values ----

let counter = 0;
let pool = Buffer.alloc(0);
const take = (n) => {
  while (pool.length < n) pool = Buffer.concat([pool, createHash('sha256').update(`${seed}:${counter++}`).digest()]);
  const out = pool.subarray(0, n);
  pool = pool.subarray(n);
  return out;
};
const bytes = (n) => toHex(new Uint8Array(take(n)));
const below = (n) => take(4).readUInt32BE() % n;
const hash = () => bytes(32);
const address = () => getAddress(bytes(20));
// All sizes come, the extremes often.
const uint = (bits) => {
  const pick = below(8);
  if (pick === 0) return 0n;
  if (pick === 1) return (1n << BigInt(bits)) - 1n;
  return BigInt(bytes(32)) >> BigInt(256 - 1 - below(bits));
};
const blob = (most) => bytes(below(most + 1)) === '0x' ? '0x' : bytes(below(most) + 1);
const url = () => `https://${bytes(below(40) + 1).slice(2)}.example:${below(65536)}`;
const many = (most, make) => Array.from({ length: below(most + 1) }, make);
const secret = () => hash();
const compact = () => ({ r: hash(), vs: hash() });

// ---- the types ----

const fields = (text) => text.split(',').map((f) => { const [type, name] = f.trim().split(' '); return { type, name }; });
const typed = {
  Query: 'address user,bytes32 model,address head,bytes32 input,uint128 maxCost,uint64 deadline,uint64 nonce',
  Receipt: 'bytes32 query,bytes32 line,bytes32 input,bytes32 output,uint32 tokensIn,uint32 tokensOut,uint128 cost,bytes32 transcript',
  Part: 'bytes32 query,uint8 slot,address key,uint32 tokensIn,uint32 tokensOut',
  Work: 'bytes32 line,uint8 slot,address key,uint128 total',
  Voucher: 'address user,bytes32 line,uint32 epoch,uint128 total',
  Release: 'address user,bytes32 line,uint32 epoch,uint128 used',
  Batch: 'bytes32 line,uint64 seq,uint32 count,bytes32 root,bytes32 charges,bytes32 work',
  Access: 'address host,bytes32 model,bytes32 session,uint64 expires',
  Approval: 'bytes32 manifest,bytes32 reportData,uint64 expires',
};
const value = (type) => type === 'address' ? address() : type === 'bytes32' ? hash() : type === 'bytes26' ? bytes(26)
  : type === 'string' ? url() : uint(Number(type.slice(4)));
const struct = (text) => Object.fromEntries(fields(text).map(({ type, name }) => [name, value(type)]));

const QUERY = `struct Query { ${typed.Query.replaceAll(',', ';')}; }`;
const RECEIPT = `struct Receipt { ${typed.Receipt.replaceAll(',', ';')}; }`;
const STRUCTS = [QUERY, RECEIPT,
  'struct Slot { bytes32 weights; uint32 share; }',
  'struct Model { bytes32 manifest; address verifier; uint64 priceIn; uint64 priceOut; uint32 timeout; uint32 lease; Slot[] slots; }',
  'struct Part { address key; uint8 slot; uint32 tokensIn; uint32 tokensOut; bytes32 r; bytes32 vs; }',
  'struct Work { address key; uint8 slot; uint128 total; bytes32 r; bytes32 vs; }',
  'struct Charge { address user; uint32 epoch; uint128 used; uint128 total; bytes32 r; bytes32 vs; }',
  'struct Batch { uint64 seq; uint32 count; bytes32 root; Charge[] charges; Work[] work; }'];
const registry = parseAbi([...STRUCTS,
  'function addModel(Model m)', 'function join(bytes32 model, uint8 slot, address key, string url, bytes quote, uint256 blockNumber)',
  'function setUrl(address key, string url)', 'function leave(address key, address other)',
  'function isLive(bytes32 model, uint8 slot, address key)', 'function isAdmitted(bytes32 model, uint8 slot, address key)',
  'function hostOf(address key)', 'function hostUntil(bytes32 model, address host)', 'function timeoutOf(bytes32 model)',
  'function terms(bytes32 model)', 'function info(bytes32 model)', 'function node(address key)']);
const ledger = parseAbi([...STRUCTS,
  'function buy(address to) payable', 'function withdraw(uint256 amount, address to)', 'function open(Query q)',
  'function openSigned(Query q, bytes32 r, bytes32 vs)',
  'function settle(Query q, Receipt receipt, Part[] parts, bytes32 r, bytes32 vs)', 'function refund(Query q)',
  'function fund(bytes32 model, address head, uint128 amount, address signer)', 'function close(bytes32 line)',
  'function finish(address user, bytes32 line)',
  'function release(address user, bytes32 model, address head, uint32 epoch, uint128 used, bytes32 r, bytes32 vs)',
  'function settleBatch(bytes32 model, address head, Batch b, bytes32 r, bytes32 vs)', 'function collect(bytes32 line, address key)',
  'function balanceOf(address owner)', 'function record(bytes32 query)', 'function tab(address user, bytes32 line)',
  'function account(bytes32 line, address key)', 'function lastSeq(bytes32 line)', 'function batchRoot(bytes32 line, uint64 seq)',
  'function verifyReceipt(Receipt receipt, uint64 seq, bytes32[] proof)', 'function registry()']);
const events = [
  'event ModelAdded(bytes32 indexed model, bytes26 indexed family, Model params)',
  'event NodeJoined(address indexed key, address indexed host, bytes26 indexed family, uint8 slot, bytes32 model, bytes32 quote, string url, uint40 until)',
  'event NodeLeft(address indexed key)', 'event UrlSet(address indexed key, string url)',
  'event Bought(address indexed payer, address indexed user, uint256 amount)',
  'event Withdrawn(address indexed user, address indexed to, uint256 amount)',
  'event Opened(bytes32 indexed query, address indexed user, bytes32 indexed model, Query q)',
  'event Served(bytes32 indexed query, bytes32 indexed line, bytes32 receipt, Receipt r)',
  'event Refunded(bytes32 indexed query, uint256 amount)',
  'event TabFunded(address indexed user, bytes32 indexed line, bytes32 model, address head, uint256 amount, address signer, uint32 epoch)',
  'event TabClosing(address indexed user, bytes32 indexed line, uint48 closeAt)',
  'event TabClosed(address indexed user, bytes32 indexed line, uint32 epoch, uint256 rest)',
  'event Charged(address indexed user, bytes32 indexed line, uint32 epoch, uint128 spent)',
  'event ChargeSkipped(address indexed user, bytes32 indexed line, uint8 why)',
  'event WorkSkipped(bytes32 indexed line, address indexed key, uint8 why)',
  'event Batched(bytes32 indexed line, uint64 indexed seq, bytes32 root, uint32 count, uint256 amount)',
  'event Earned(bytes32 indexed line, address indexed key, uint256 amount)',
  'event Collected(bytes32 indexed line, address indexed key, address indexed host, uint256 amount)'];
const errors = ['AlreadyAdded()', 'BadModel()', 'UnknownModel()', 'StaleBlock()', 'WrongReportData()', 'KeyTaken()', 'NotHost()',
  'NotUser()', 'BadQuery()', 'NotOpen()', 'TooEarly()', 'WrongReceipt()', 'WrongSigner(address expected)',
  'NotAdmitted(address key)', 'NotCovered(uint256 slot)', 'BadOrder()', 'OverCharge()', 'WrongSequence()', 'WrongTab()',
  'TransferFailed()', 'BadAuditors()', 'Expired()', 'TooFewApprovals()', 'WrongApproval(uint256 index)'];

const makeModel = () => ({ manifest: hash(), verifier: address(), priceIn: uint(64), priceOut: uint(64), timeout: uint(32), lease: uint(32),
  slots: many(8, () => ({ weights: hash(), share: uint(32) })) });
const makePart = () => ({ key: address(), slot: uint(8), tokensIn: uint(32), tokensOut: uint(32), ...compact() });
const makeWork = () => ({ key: address(), slot: uint(8), total: uint(128), ...compact() });
const makeCharge = () => ({ user: address(), epoch: uint(32), used: uint(128), total: uint(128), ...compact() });
const makeBatch = () => ({ seq: uint(64), count: uint(32), root: hash(), charges: many(5, makeCharge), work: many(4, makeWork) });
const modelTuple = [{ ...registry.find((f) => f.name === 'addModel').inputs[0] }];

// ---- cases: [line for the program, what viem says] ----

const cases = [];
const add = (label, op, input, expected) => cases.push({ label, line: { op, in: input }, expected });

for (let i = 0; i < 300; i++) {  // every length, over three blocks of the sponge
  const data = i === 0 ? '0x' : bytes(i);
  add('keccak', 'keccak', { data }, keccak256(data));
}
for (let i = 0; i < 100; i++) {
  const key = secret();
  add('address', 'address', { key_secret: key }, privateKeyToAccount(key).address);
}
for (let i = 0; i < 200; i++) {
  const key = secret();
  const tx = { chainId: uint(31) + 1n, nonce: uint(31), tip: uint(60), gas: uint(31), value: uint(100), data: blob(300) };
  tx.fee = tx.tip + uint(60);
  if (i % 5) tx.to = address();
  const raw = await privateKeyToAccount(key).signTransaction({ type: 'eip1559', chainId: Number(tx.chainId), nonce: Number(tx.nonce),
    maxPriorityFeePerGas: tx.tip, maxFeePerGas: tx.fee, gas: tx.gas, to: tx.to, value: tx.value, data: tx.data });
  add('tx', 'tx', { key_secret: key, ...tx }, `${raw} ${keccak256(raw)}`);
}
const words = (list, order) => concatHex(['0x', ...list.flatMap((e) => order.map((k) =>
  typeof e[k] === 'bigint' ? toHex(e[k], { size: 32 }) : viem.pad(e[k], { size: 32 })))]);
for (const [type, text] of Object.entries(typed)) {
  for (let i = 0; i < 40; i++) {
    const key = secret();
    const [chainId, contract] = [uint(53), address()];
    let message = struct(text), input = message;
    if (type === 'Batch') {
      input = { line: message.line, ...makeBatch() };
      message = { ...input, charges: keccak256(words(input.charges, ['user', 'epoch', 'used', 'total', 'r', 'vs'])),
        work: keccak256(words(input.work, ['key', 'slot', 'total', 'r', 'vs'])) };
    }
    const data = { domain: { name: type === 'Approval' ? 'TeeTee Allowlist' : 'TeeTee', version: '1', chainId, verifyingContract: contract },
      types: { [type]: fields(text) }, primaryType: type, message };
    const signature = await privateKeyToAccount(key).signTypedData(data);
    add(`typed ${type}`, 'typed', { type, key_secret: key, chainId, contract, message: input }, `${hashTypedData(data)} ${signature}`);
  }
}
const special = { m: makeModel, q: () => struct(typed.Query), receipt: () => struct(typed.Receipt), parts: () => many(5, makePart),
  b: makeBatch, quote: () => blob(200), proof: () => many(12, hash), url };
for (const [contract, abi] of [['registry', registry], ['ledger', ledger]]) {
  for (const f of abi) {
    for (let i = 0; i < (f.inputs.length ? 12 : 1); i++) {
      const args = Object.fromEntries(f.inputs.map((p) => [p.name, (special[p.name] ?? (() => value(p.type)))()]));
      if (args.amount !== undefined) args.amount = uint(120);
      if (args.blockNumber !== undefined) args.blockNumber = uint(60);
      add(`${contract}.${f.name}`, contract, { function: f.name, args },
        encodeFunctionData({ abi, functionName: f.name, args: f.inputs.map((p) => args[p.name]) }));
    }
  }
}
for (let i = 0; i < 40; i++) {
  const m = makeModel();
  const family = keccak256(encodeAbiParameters(parseAbiParameters('address,bytes32,uint32,bytes32[]'),
    [m.verifier, m.manifest, Number(m.lease), m.slots.map((s) => s.weights)])).slice(0, 54);
  add('model id', 'model', m, `${keccak256(encodeAbiParameters(modelTuple, [m]))} ${family}`);
  const [model, head, request, line] = [hash(), address(), hash(), hash()];
  add('line', 'line', { model, head }, keccak256(encodeAbiParameters(parseAbiParameters('bytes32,address'), [model, head])));
  add('tab query', 'tabQuery', { line, request }, keccak256(encodeAbiParameters(parseAbiParameters('bytes32,bytes32'), [line, request])));
  const c = { chainId: uint(53), registry: address(), host: address(), key: address(), weights: hash(), blockHash: hash() };
  add('report data', 'join', c, keccak256(encodeAbiParameters(parseAbiParameters('uint256,address,address,address,bytes32,bytes32'), Object.values(c))));
  const q = { reportData: hash(), expires: uint(64), sigs: many(4, compact) };
  add('quote', 'quote', q, encodeAbiParameters(parseAbiParameters('bytes32,uint64,bytes32[2][]'), [q.reportData, q.expires, q.sigs.map((s) => [s.r, s.vs])]));
}
for (const text of events) {
  const item = parseAbiItem([text, ...STRUCTS]);
  for (let i = 0; i < 15; i++) {
    const args = item.inputs.map((p) => p.name === 'params' ? makeModel() : p.name === 'q' ? struct(typed.Query) : p.name === 'r' ? struct(typed.Receipt)
      : p.name === 'why' ? BigInt(below(8)) : p.type === 'uint256' ? uint(120) : value(p.type));
    const named = Object.fromEntries(item.inputs.map((p, k) => [p.name, args[k]]));
    const plain = item.inputs.map((p, k) => ({ ...p, value: args[k] })).filter((p) => !p.indexed);
    const shown = item.inputs.map((p, k) => p.name === 'params' ? encodeAbiParameters(modelTuple, [args[k]])
      : p.name === 'q' ? structHash('Query', args[k]) : p.name === 'r' ? structHash('Receipt', args[k]) : String(args[k])).join(' ');
    add(`event ${item.name}`, 'event', { topics: encodeEventTopics({ abi: [item], eventName: item.name, args: named }),
      data: encodeAbiParameters(plain, plain.map((p) => p.value)) }, shown);
  }
}
function structHash(type, message) {
  return keccak256(encodeAbiParameters([{ type: 'bytes32' }, ...fields(typed[type])],
    [keccak256(toHex(`${type}(${typed[type]})`)), ...fields(typed[type]).map((f) => message[f.name])]));
}
for (const text of errors) {
  const abi = parseAbi([`error ${text}`]);
  const data = encodeErrorResult({ abi, errorName: abi[0].name, args: abi[0].inputs.map((p) => value(p.type === 'uint256' ? 'uint64' : p.type)) });
  add(`error ${abi[0].name}`, 'revert', { data }, abi[0].name);
}
for (let n = 0; n < 34; n++) {
  const leaves = Array.from({ length: n }, hash);
  let level = leaves;
  while (level.length > 1) {
    level = level.reduce((up, leaf, i) => { if (i % 2) { const p = up.pop(); up.push(keccak256(concatHex(p < leaf ? [p, leaf] : [leaf, p]))); } else up.push(leaf); return up; }, []);
  }
  add('merkle', 'merkle', { leaves }, level[0] ?? '0x' + '00'.repeat(32));
}

// The signatures that this file compares are those of the contracts, if these are built.
function checkAgainstArtifacts() {
  let checked = 0;
  for (const [name, abi] of [['Registry', registry], ['Ledger', ledger]]) {
    const path = new URL(`contracts/out/${name}.sol/${name}.json`, root);
    if (!existsSync(path)) continue;
    const real = JSON.parse(readFileSync(path)).abi;
    const selectors = new Set(real.filter((e) => e.type === 'function').map((e) => viem.toFunctionSelector(e)));
    const topics = new Set(real.filter((e) => e.type === 'event').map((e) => viem.toEventSelector(e)));
    const known = new Set(events.map((e) => viem.toEventSelector(parseAbiItem([e, ...STRUCTS]))));
    const knownErrors = new Set(errors.map((e) => `${parseAbi([`error ${e}`])[0].name}`));
    for (const f of abi) if (!selectors.has(viem.toFunctionSelector(f))) throw new Error(`${name} has no ${viem.toFunctionSignature(f)}`);
    for (const t of topics) if (!known.has(t) && !isForeign(real, t)) throw new Error(`${name} has an event that is not decoded`);
    for (const e of real) if (e.type === 'error' && e.inputs.every((p) => p.type !== 'string') && !knownErrors.has(e.name) && !OPENZEPPELIN.has(e.name)) throw new Error(`${name}: error ${e.name} is not explained`);
    checked++;
  }
  return checked;
}
const OPENZEPPELIN = new Set(['InvalidShortString', 'StringTooLong', 'ECDSAInvalidSignature', 'ECDSAInvalidSignatureLength', 'ECDSAInvalidSignatureS']);
const isForeign = (abi, topic) => abi.some((e) => e.type === 'event' && viem.toEventSelector(e) === topic && e.name === 'EIP712DomainChanged');

const text = cases.map((c) => JSON.stringify(c.line, (_, v) => typeof v === 'bigint' ? v.toString() : v)).join('\n') + '\n';
const run = spawnSync(program, { input: text, maxBuffer: 1 << 28 });
const got = run.stdout?.toString().split('\n').slice(0, -1) ?? [];
let failed = run.status === 0 && got.length === cases.length ? 0 : 1;
if (failed) console.error(`${program}: ended with ${run.status ?? run.error}, ${got.length} of ${cases.length} answers`);
cases.forEach((c, i) => {
  if (got[i] === c.expected) return;
  if (++failed < 10) console.error(`${c.label}: viem ${c.expected?.slice(0, 300)}\n${' '.repeat(c.label.length)}  C++  ${got[i]?.slice(0, 300)}`);
});
let skipped = 0;
try {
  if (checkAgainstArtifacts() === 0) { skipped = 1; console.log('skipped: contracts/out is not built, so signatures were not compared with the contracts'); }
} catch (error) { failed++; console.error(error.message); }
console.log(`seed ${seed}`);
console.log(`${cases.length - Math.min(failed, cases.length)} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed ? 1 : 0);
