// Writes test/vectors/typed-data.json, which the forge tests and the C++ tests load, and the tables of
// docs/formats/typed-data.md between its markers. Everything comes from seeds: the same file every time.
// usage: node tools/make_vectors.mjs [--check]     --check: compare with the committed files, write nothing
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  encodeAbiParameters,
  encodeEventTopics,
  encodeFunctionData,
  keccak256,
  parseAbi,
  slice,
  toFunctionSelector,
  toHex,
} from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import * as td from './typed_data.mjs';

const JSON_FILE = fileURLToPath(new URL('../test/vectors/typed-data.json', import.meta.url));
const DOC_FILE = fileURLToPath(new URL('../../docs/formats/typed-data.md', import.meta.url));

const CHAIN_ID = 31337;
const address = (seed) => privateKeyToAccount(hash(seed)).address;
const hash = (seed) => keccak256(toHex(`TeeTee test vector: ${seed}`));
const number = (seed, bits) => BigInt(hash(seed)) >> BigInt(256 - bits);
const LEDGER = address('ledger');
const REGISTRY = address('registry');
const VERIFIER = address('verifier');
const INSTANCES = 5;

// ---------------------------------------------------------------- values

// Instance 0 holds zeros and empty values, 1 the largest numbers, the rest anything.
function valueOf(type, seed, instance) {
  if (type === 'address') return address(seed);
  if (type === 'bytes32') return instance === 0 ? toHex(0, { size: 32 }) : hash(seed);
  const bits = Number(type.slice('uint'.length));
  let value = number(seed, bits);
  if (instance === 0) value = 0n;
  if (instance === 1) value = (1n << BigInt(bits)) - 1n;
  return bits <= 32 ? Number(value) : value;
}

// Numbers as decimal strings, so that no JSON reader rounds them.
const plain = (value) => {
  if (typeof value === 'bigint' || typeof value === 'number') return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([name, v]) => [name, plain(v)]));
  }
  return value;
};

const message = (primaryType, instance) =>
  Object.fromEntries(
    td.TYPES[primaryType].map(({ name, type }) => [name, valueOf(type, `${primaryType}.${name}.${instance}`, instance)]),
  );

async function typedVectors(primaryType) {
  const domain =
    primaryType === 'Approval' ? td.allowlistDomain(CHAIN_ID, VERIFIER) : td.ledgerDomain(CHAIN_ID, LEDGER);
  const vectors = [];
  for (let i = 0; i < INSTANCES; i++) {
    const privateKey = hash(`${primaryType} key ${i}`);
    const fields = message(primaryType, i);
    vectors.push({
      domain,
      message: fields,
      structHash: td.structHash(primaryType, fields),
      digest: td.digest(domain, primaryType, fields),
      privateKey,
      signer: privateKeyToAccount(privateKey).address,
      ...(await td.sign(privateKey, domain, primaryType, fields)),
    });
  }
  return vectors;
}

const modelOf = (i, slots) => ({
  manifest: hash(`manifest ${i}`),
  verifier: address(`verifier ${i}`),
  priceIn: number(`priceIn ${i}`, 40),
  priceOut: number(`priceOut ${i}`, 40),
  timeout: 60 + i,
  lease: 86400 * (i + 1),
  slots: Array.from({ length: slots }, (_, s) => ({ weights: hash(`weights ${i} ${s}`), share: 1000 + 7 * s + i })),
});

const receipt = (seed) => message('Receipt', `${seed}`);

function merkleVector(count) {
  const receipts = Array.from({ length: count }, (_, i) => receipt(`tree ${count} ${i}`));
  const leaves = receipts.map((r) => td.structHash('Receipt', r));
  const proofs = leaves.map((_, i) => td.merkleProof(leaves, i));
  return { receipts, leaves, root: td.merkleRoot(leaves), proofs };
}

const charge = (i) => ({
  user: address(`charge user ${i}`),
  epoch: Number(number(`charge epoch ${i}`, 32)),
  used: number(`charge used ${i}`, 100),
  total: number(`charge total ${i}`, 128),
  r: hash(`charge r ${i}`),
  vs: hash(`charge vs ${i}`),
});

const workEntry = (i) => ({
  key: address(`work key ${i}`),
  slot: i + 1,
  total: number(`work total ${i}`, 88),
  r: hash(`work r ${i}`),
  vs: hash(`work vs ${i}`),
});

const part = (i) => ({
  key: address(`part key ${i}`),
  slot: i + 1,
  tokensIn: Number(number(`part in ${i}`, 32)),
  tokensOut: Number(number(`part out ${i}`, 32)),
  r: hash(`part r ${i}`),
  vs: hash(`part vs ${i}`),
});

const list = (count, make) => Array.from({ length: count }, (_, i) => make(i));

const batch = (charges, works) => ({
  seq: number(`batch seq ${charges}`, 64),
  count: 1000 + charges,
  root: hash(`batch root ${charges}`),
  charges: list(charges, charge),
  work: list(works, workEntry),
});

function batchVector(charges, works) {
  const b = batch(charges, works);
  const line = hash(`batch line ${charges}`);
  const signed = td.batchMessage(line, b);
  return { line, batch: b, charges: signed.charges, work: signed.work, structHash: td.structHash('Batch', signed) };
}

async function approvalQuote(signers) {
  const manifest = hash(`quote manifest ${signers}`);
  const reportData = hash(`quote report ${signers}`);
  const expires = 1_800_000_000n + BigInt(signers);
  const keys = list(signers, (i) => hash(`auditor ${i}`)).sort((a, b) =>
    BigInt(privateKeyToAccount(a).address) < BigInt(privateKeyToAccount(b).address) ? -1 : 1,
  );
  const domain = td.allowlistDomain(CHAIN_ID, VERIFIER);
  const signatures = [];
  for (const key of keys) signatures.push(await td.sign(key, domain, 'Approval', { manifest, reportData, expires }));
  return { manifest, reportData, expires, privateKeys: keys, quote: td.allowlistQuote(reportData, expires, signatures) };
}

// ---------------------------------------------------------------- calls

const ABI = parseAbi([
  'struct Slot { bytes32 weights; uint32 share; }',
  'struct Model { bytes32 manifest; address verifier; uint64 priceIn; uint64 priceOut; uint32 timeout; uint32 lease; Slot[] slots; }',
  'struct Query { address user; bytes32 model; address head; bytes32 input; uint128 maxCost; uint64 deadline; uint64 nonce; }',
  'struct Receipt { bytes32 query; bytes32 line; bytes32 input; bytes32 output; uint32 tokensIn; uint32 tokensOut; uint128 cost; bytes32 transcript; }',
  'struct Part { address key; uint8 slot; uint32 tokensIn; uint32 tokensOut; bytes32 r; bytes32 vs; }',
  'struct Work { address key; uint8 slot; uint128 total; bytes32 r; bytes32 vs; }',
  'struct Charge { address user; uint32 epoch; uint128 used; uint128 total; bytes32 r; bytes32 vs; }',
  'struct Batch { uint64 seq; uint32 count; bytes32 root; Charge[] charges; Work[] work; }',
  'function addModel(Model m) returns (bytes32 id)',
  'function join(bytes32 model, uint8 slot, address key, string url, bytes quote, uint256 blockNumber)',
  'function setUrl(address key, string url)',
  'function leave(address key, address other)',
  'function isLive(bytes32 model, uint8 slot, address key) view returns (bool live)',
  'function isAdmitted(bytes32 model, uint8 slot, address key) view returns (bool admitted)',
  'function hostOf(address key) view returns (address host)',
  'function hostUntil(bytes32 model, address host) view returns (uint40 until)',
  'function timeoutOf(bytes32 model) view returns (uint32 timeout)',
  'function terms(bytes32 model) view returns (uint64 priceIn, uint64 priceOut, uint32[] upTo)',
  'function info(bytes32 model) view returns (bytes26 family, uint32 lease, uint64 priceIn, uint64 priceOut, uint32 timeout, address verifier, bytes32 manifest)',
  'function node(address key) view returns (bytes26 family, uint40 until, uint8 slot, address host, bytes32 quote, string url)',
  'function buy(address to)',
  'function withdraw(uint256 amount, address to)',
  'function open(Query q) returns (bytes32 id)',
  'function openSigned(Query q, bytes32 r, bytes32 vs) returns (bytes32 id)',
  'function settle(Query q, Receipt r, Part[] parts, bytes32 hr, bytes32 hvs)',
  'function refund(Query q)',
  'function fund(bytes32 model, address head, uint128 amount, address signer)',
  'function close(bytes32 line)',
  'function finish(address user, bytes32 line)',
  'function release(address user, bytes32 model, address head, uint32 epoch, uint128 used, bytes32 hr, bytes32 hvs)',
  'function settleBatch(bytes32 model, address head, Batch b, bytes32 hr, bytes32 hvs)',
  'function collect(bytes32 line, address key)',
  'function verifyReceipt(Receipt r, uint64 seq, bytes32[] proof) view returns (bool contained)',
  'function lineOf(bytes32 model, address head) pure returns (bytes32 line)',
  'function queryId(Query q) view returns (bytes32 id)',
  'function receiptHash(Receipt r) pure returns (bytes32 hash)',
  'function tokens(address owner, bytes32 model) view returns (uint256 count)',
  'function balanceOf(address owner) view returns (uint256 balance)',
  'function record(bytes32 query) view returns (bytes32 state)',
  'function tab(address user, bytes32 line) view returns (uint128 funded, uint128 spent, address signer, uint32 epoch, uint48 closeAt)',
  'function account(bytes32 line, address key) view returns (uint88 worked, uint88 used, uint80 owed)',
  'function lastSeq(bytes32 line) view returns (uint64 seq)',
  'function batchRoot(bytes32 line, uint64 seq) view returns (bytes32 root)',
  'event ModelAdded(bytes32 indexed model, bytes26 indexed family, Model params)',
  'event NodeJoined(address indexed key, address indexed host, bytes26 indexed family, uint8 slot, bytes32 model, bytes32 quote, string url, uint40 until)',
  'event NodeLeft(address indexed key)',
  'event UrlSet(address indexed key, string url)',
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
  'event Collected(bytes32 indexed line, address indexed key, address indexed host, uint256 amount)',
  'error AlreadyAdded()',
  'error BadModel()',
  'error UnknownModel()',
  'error StaleBlock()',
  'error WrongReportData()',
  'error KeyTaken()',
  'error NotHost()',
  'error NotUser()',
  'error BadQuery()',
  'error NotOpen()',
  'error TooEarly()',
  'error WrongReceipt()',
  'error WrongSigner(address expected)',
  'error NotAdmitted(address key)',
  'error NotCovered(uint256 slot)',
  'error BadOrder()',
  'error OverCharge()',
  'error WrongSequence()',
  'error WrongTab()',
  'error TransferFailed()',
  'error BadAuditors()',
  'error Expired()',
  'error TooFewApprovals()',
  'error WrongApproval(uint256 index)',
]);

const structValues = {
  m: (i) => modelOf(10 + i, 1 + 2 * i),
  q: (i) => message('Query', `call ${i}`),
  r: (i) => receipt(`call ${i}`),
  parts: (i) => list(3 * i, part),
  b: (i) => batch(3 * i, 2 * i),
  params: (i) => modelOf(20 + i, 2 + i),
};

// A value for an argument of a call; `i` 0 has empty arrays, strings and bytes.
function argument({ name, type }, fn, i) {
  if (type.startsWith('tuple')) return structValues[name](i);
  const seed = `call ${fn} ${name} ${i}`;
  if (type === 'string') return i === 0 ? '' : `https://node-${i}.example.org:8443/path-longer-than-one-word`;
  if (type === 'bytes') return i === 0 ? '0x' : hash(seed) + 'ab'.repeat(37);
  if (type === 'bytes32[]') return list(3 * i, (j) => hash(`${seed} ${j}`));
  if (type === 'uint32[]') return list(3 * i, (j) => 1000 * (j + 1));
  if (type === 'bytes26') return slice(hash(seed), 0, 26);
  if (type === 'bool') return i === 1;
  if (name === 'why') return 1 + 5 * i; // Skip.Epoch, Skip.Signature
  return valueOf(type, seed, 'any');
}

const named = (params, values) => Object.fromEntries(params.map(({ name }, i) => [name, values[i]]));
const itemsOf = (kind) => ABI.filter((item) => item.type === kind);

// Two of each function: arguments and calldata, and a made-up answer and its bytes.
function calls() {
  return itemsOf('function').flatMap((item) =>
    [0, 1].map((i) => {
      const values = item.inputs.map((input) => argument(input, item.name, i));
      const answers = item.outputs.map((output) => argument(output, `${item.name} returns`, i));
      return {
        function: item.name,
        arguments: named(item.inputs, values),
        data: encodeFunctionData({ abi: [item], functionName: item.name, args: values }),
        returns: named(item.outputs, answers),
        answer: encodeAbiParameters(item.outputs, answers),
      };
    }),
  );
}

function events() {
  return itemsOf('event').flatMap((item) =>
    [0, 1].map((i) => {
      const values = item.inputs.map((input) => argument(input, item.name, i));
      const args = named(item.inputs, values);
      const unindexed = item.inputs.filter((input) => !input.indexed);
      return {
        event: item.name,
        arguments: args,
        topics: encodeEventTopics({ abi: [item], eventName: item.name, args }),
        data: encodeAbiParameters(unindexed, unindexed.map(({ name }) => args[name])),
      };
    }),
  );
}

const errors = () => itemsOf('error').map((item) => ({ error: item.name, selector: toFunctionSelector(item) }));

// ---------------------------------------------------------------- all of it

export async function makeVectors() {
  const typed = {};
  for (const name of Object.keys(td.TYPES)) typed[name] = await typedVectors(name);
  const domains = [td.ledgerDomain(CHAIN_ID, LEDGER), td.allowlistDomain(CHAIN_ID, VERIFIER)];
  const models = [1, 2, 3, 8, 64].map((slots, i) => {
    const model = modelOf(i, slots);
    return { model, id: td.modelId(model), family: td.familyOf(model) };
  });
  const lines = list(INSTANCES, (i) => {
    const [model, head, requestId] = [hash(`line model ${i}`), address(`line head ${i}`), hash(`request ${i}`)];
    const line = td.lineOf(model, head);
    return { model, head, line, requestId, tabQuery: td.tabQueryId(line, requestId) };
  });
  const joins = list(INSTANCES, (i) => {
    const fields = {
      chainId: i === 0 ? 1 : CHAIN_ID + i,
      registry: REGISTRY,
      host: address(`join host ${i}`),
      key: address(`join key ${i}`),
      weights: hash(`join weights ${i}`),
      blockHash: hash(`join block ${i}`),
    };
    return { ...fields, reportData: td.joinReportData(fields) };
  });
  const quotes = [];
  for (const signers of [1, 2, 3]) quotes.push(await approvalQuote(signers));
  return plain({
    about: 'Made by contracts/tools/make_vectors.mjs with viem; described in docs/formats/typed-data.md. Do not edit.',
    typeStrings: td.TYPE_STRINGS,
    typeHashes: Object.fromEntries(Object.keys(td.TYPES).map((name) => [name, td.typeHash(name)])),
    domains: domains.map((domain) => ({ ...domain, separator: td.domainSeparator(domain) })),
    typed,
    models,
    lines,
    joins,
    allowlistQuotes: quotes,
    batches: [batchVector(0, 0), batchVector(1, 0), batchVector(2, 3), batchVector(5, 7), batchVector(0, 1)],
    merkle: [1, 2, 3, 5, 8].map(merkleVector),
    calls: calls(),
    events: events(),
    errors: errors(),
  });
}

// ---------------------------------------------------------------- the document's example

function typeTable() {
  const rows = Object.keys(td.TYPES).map((name) => `| ${name} | \`${td.typeHash(name)}\` |`);
  return ['| type | typehash |', '| --- | --- |', ...rows].join('\n');
}

const json = (value) => '```json\n' + JSON.stringify(value, null, 2) + '\n```';

function example(vectors) {
  const voucher = vectors.typed.Voucher[2];
  const tree = vectors.merkle[2];
  return [
    'A voucher (`typed.Voucher[2]`), signed:',
    '',
    json(voucher),
    '',
    `The domain separator is \`${vectors.domains[0].separator}\`.`,
    '',
    'A model of two slots (`models[1]`), its id and its family:',
    '',
    json(vectors.models[1]),
    '',
    'A line and a query id of tab mode (`lines[0]`):',
    '',
    json(vectors.lines[0]),
    '',
    'Report data of a join (`joins[1]`):',
    '',
    json(vectors.joins[1]),
    '',
    'A batch (`batches[1]`) of one charge and no work, with the hashes that the head signs:',
    '',
    json(vectors.batches[1]),
    '',
    'A tree of three receipts (`merkle[2]`; the receipts are in the file). The third leaf has no neighbour, so it is',
    'carried up and its proof has one node:',
    '',
    json({ leaves: tree.leaves, root: tree.root, proofs: tree.proofs }),
  ].join('\n');
}

function replaceBetween(text, marker, content) {
  const begin = `<!-- ${marker}: written by contracts/tools/make_vectors.mjs -->`;
  const end = `<!-- end of ${marker} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`no markers for ${marker}`);
  return `${text.slice(0, from)}${begin}\n\n${content}\n\n${text.slice(to)}`;
}

/** What both files must hold: [path, text] pairs. */
export async function expectedFiles() {
  const vectors = await makeVectors();
  let doc = readFileSync(DOC_FILE, 'utf8');
  doc = replaceBetween(doc, 'typehashes', typeTable());
  doc = replaceBetween(doc, 'example', example(vectors));
  return [
    [JSON_FILE, `${JSON.stringify(vectors, null, 1)}\n`],
    [DOC_FILE, doc],
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, text] of await expectedFiles()) {
    if (process.argv.includes('--check')) {
      if (readFileSync(file, 'utf8') !== text) {
        console.error(`${file} is not current: run node tools/make_vectors.mjs`);
        process.exitCode = 1;
      }
    } else {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }
}
