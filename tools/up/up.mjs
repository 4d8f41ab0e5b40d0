// ./dev up: the whole product on one machine, with simulated evidence and demo money. See usage().
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { CHAIN_ID, client, contracts, demoAccounts, fund, registerModel } from './chain.mjs';
import { isRunning, logTail, portHolder, portIsFree, sleep, start as startProcess, startTime, stop } from './processes.mjs';

const ROOT = resolve(new URL('../..', import.meta.url).pathname);
let HOME = join(ROOT, '.teetee');
let BIN = join(ROOT, 'build/bin');
let UP = join(HOME, 'up.json');
let LAUNCHED = join(HOME, 'launched.json'); // what was started and is not in up.json yet
const PRICE = 20_000_000_000n; // wei per token, in and out: 100,000 tokens for 0.002 ETH
const DEFAULT_NAME = 'smollm2-135m-instruct';
const DEFAULT_SYSTEM = 'You are a helpful assistant.'; // docs/design/0004-default-system-message.md

const launched = []; // every process that this run started, also those that are not ready yet

async function start(argv, log) {
  const proc = await startProcess(argv, log);
  launched.push(proc);
  writeJson(LAUNCHED, launched);
  return proc;
}

async function stopLaunched() {
  for (const proc of [...launched].reverse()) await stop(proc);
  rmSync(LAUNCHED, { force: true });
  rmSync(UP, { force: true });
}

/** What an `up` that was killed half-way has left behind; true when there was something. */
async function stopLeftOver() {
  if (!existsSync(LAUNCHED)) return false;
  const left = readJson(LAUNCHED).filter(isRunning);
  for (const proc of left.reverse()) await stop(proc);
  rmSync(LAUNCHED, { force: true });
  return left.length > 0;
}

/** The `up` at work in this folder, if any. */
function lockHolder(file) {
  if (!existsSync(file)) return undefined;
  const [pid, started] = readFileSync(file, 'utf8').split(' ');
  const holder = { pid: Number(pid), started };
  return isRunning(holder) ? holder : undefined;
}

/** One `up` at a time in one folder. */
function lock() {
  const file = join(HOME, 'up.lock');
  const holder = lockHolder(file);
  if (holder) throw new Error(`another ./dev up (pid ${holder.pid}) is at work in ${HOME}; stop it with ./dev down`);
  writeFileSync(file, `${process.pid} ${startTime(process.pid)}`);
  process.on('exit', () => rmSync(file, { force: true }));
}

const say = (text) => process.stderr.write(`${text}\n`);

function usage() {
  say(`usage: ./dev up [--detach] [--slots N] [--model PATH] [--name NAME] [--port-base P]
  --detach        return when it is ready (stop with ./dev down)
  --slots N       cut the model into N shards (default 2)
  --model PATH    another GGUF file than SmolLM2-135M-Instruct
  --name NAME     its name in the API (default: from the file's name)
  --port-base P   gateway P, proxy P+1, chain P+2, nodes from P+3 (two ports each), then web and auditor
                  (default: 8080, 8081, 8545, nodes from 9100, web 8082, auditor 8083)`);
}

function options() {
  const { values } = parseArgs({
    options: {
      detach: { type: 'boolean', default: false },
      slots: { type: 'string', default: '2' },
      model: { type: 'string' },
      name: { type: 'string' },
      'port-base': { type: 'string' },
      bin: { type: 'string' }, // tests: programs of another build
      home: { type: 'string' }, // tests: another state folder
      help: { type: 'boolean', default: false },
    },
  });
  setFolders(values);
  if (values.help) {
    usage();
    process.exit(0);
  }
  const slots = Number(values.slots);
  if (!Number.isInteger(slots) || slots < 1 || slots > 16) throw new Error('--slots: a number from 1 to 16');
  const base = values['port-base'] === undefined ? undefined : Number(values['port-base']);
  if (base !== undefined && !(base >= 1024 && base < 65000)) throw new Error('--port-base: a number from 1024 to 65000');
  return { detach: values.detach, slots, model: values.model, name: values.name, ports: portPlan(base, slots) };
}

function setFolders({ bin, home }) {
  if (bin) BIN = resolve(bin);
  if (home) HOME = resolve(home);
  UP = join(HOME, 'up.json');
  LAUNCHED = join(HOME, 'launched.json');
}

function portPlan(base, slots) {
  const first = base === undefined ? 9100 : base + 3;
  const channel = base === undefined ? 9200 : base + 3 + slots;
  const range = (from) => Array.from({ length: slots }, (_, i) => from + i);
  return {
    gateway: base ?? 8080,
    proxy: base === undefined ? 8081 : base + 1,
    rpc: base === undefined ? 8545 : base + 2,
    web: base === undefined ? 8082 : channel + slots,
    auditor: base === undefined ? 8083 : channel + slots + 1,
    http: range(first),
    channel: range(channel),
  };
}

async function checkPorts(ports) {
  for (const [what, list] of Object.entries(ports)) {
    for (const port of [list].flat()) {
      if (!(await portIsFree(port))) {
        throw new Error(`port ${port} (for ${what}) is taken by ${portHolder(port)}; stop it, or choose other ports: ./dev up --port-base P`);
      }
    }
  }
}

// ---------------------------------------------------------------- programs

/** Runs one of our programs to its end; its stdout, or an error with its stderr. */
function run(program, ...args) {
  const done = spawnSync(join(BIN, program), args, { encoding: 'utf8', maxBuffer: 64 << 20 });
  if (done.status !== 0) throw new Error(`${program} ${args[0]} ${args[1] ?? ''} failed: ${done.stderr.trim() || done.error?.message}`);
  return done.stdout;
}

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
const writeJson = (file, value) => writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
const url = (port) => `http://127.0.0.1:${port}`;

async function waitFor(what, log, proc, check, seconds = 90) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(100)) {
    try {
      const value = await check();
      if (value) return value;
    } catch {
      // not yet
    }
    if (!isRunning(proc)) throw new Error(`${what} stopped:\n${logTail(log)}`);
  }
  throw new Error(`${what} was not ready after ${seconds} s:\n${logTail(log)}`);
}

const getJson = async (address) => {
  const answer = await fetch(address, { signal: AbortSignal.timeout(3000) });
  return answer.ok ? answer.json() : undefined;
};

// ---------------------------------------------------------------- steps

function modelFile(path) {
  if (path) {
    if (!existsSync(path)) throw new Error(`--model ${path}: no such file`);
    return resolve(path);
  }
  const done = spawnSync('python3', [join(ROOT, 'tools/fetch_model.py')], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (done.status !== 0) throw new Error('the default model is not there; give another with --model PATH');
  return done.stdout.trim();
}

/** Splits once per (file, program, slots) and keeps the result. */
function splitModel(file, name, slots, system) {
  const digest = createHash('sha256').update(readFileSync(file)).update(readFileSync(join(BIN, 'teetee'))).update(system).digest('hex').slice(0, 16);
  const folder = join(HOME, 'models', `${name}-${slots}-${digest}`);
  if (!existsSync(join(folder, 'manifest.json'))) {
    say(`  splitting ${basename(file)} into ${slots} shard${slots === 1 ? '' : 's'}`);
    rmSync(folder, { recursive: true, force: true });
    run('teetee', 'model', 'split', file, '--slots', String(slots), '--name', name, '--system', system, '-o', folder);
  }
  return folder;
}

async function startChain(ports) {
  mkdirSync(join(HOME, 'chain'), { recursive: true });
  const anvil = join(ROOT, 'contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil');
  if (!existsSync(anvil)) throw new Error('anvil is not installed (x86-64 only): ./dev setup');
  const state = join(HOME, 'chain/state.json');
  const argv = ['python3', join(ROOT, 'tools/up/keep_state.py'), state, anvil, '--host', '127.0.0.1', '--port', String(ports.rpc), '--chain-id', String(CHAIN_ID), '--block-time', '1', '--state', state, '--state-interval', '1'];
  const log = join(HOME, 'logs/chain.log');
  const proc = await start(argv, log);
  await waitFor('the chain', log, proc, () => client(url(ports.rpc)).getBlockNumber().then((n) => n >= 0n), 30);
  return proc;
}

function modelParams(folder, deployed) {
  const manifestBytes = readFileSync(join(folder, 'manifest.json'));
  const manifest = JSON.parse(manifestBytes);
  return {
    manifest: `0x${createHash('sha256').update(manifestBytes).digest('hex')}`,
    verifier: deployed.verifier.toLowerCase(),
    price_in: PRICE.toString(),
    price_out: PRICE.toString(),
    timeout: 120,
    lease: 7 * 86400,
    slots: manifest.slots.map((slot) => ({ weights: `0x${slot.weights_root.replace(/^0x/, '')}`, share: Number(slot.share) })),
  };
}

function writeTrust(deployed, name, id) {
  const pki = join(HOME, 'pki');
  if (!existsSync(join(pki, 'root.pem'))) run('teetee', 'attest', 'dev-pki', '--out', pki);
  const mrtd = run('teetee', 'attest', 'measure', join(BIN, 'teetee-node')).trim();
  writeJson(join(HOME, 'trust.json'), {
    class: 'simulated',
    chain_id: CHAIN_ID,
    registry: deployed.registry.toLowerCase(),
    ledger: deployed.ledger.toLowerCase(),
    roots: [readFileSync(join(pki, 'root.pem'), 'utf8')],
    measurements: [{ name: 'this build', mrtd }],
    models: { [name]: id },
    accepted_tcb: ['UpToDate'],
  });
}

async function startNode(slot, context) {
  const { ports, folder, demo } = context;
  const state = join(HOME, 'nodes', `${context.id.slice(2, 14)}-${slot}`); // a key serves one family and slot for life
  const host = demo[slot % 2 === 0 ? 'host1' : 'host2'];
  const argv = [
    join(BIN, 'teetee-node'), '--shard', join(folder, readJson(join(folder, 'manifest.json')).slots[slot].file),
    '--manifest', join(folder, 'manifest.json'), '--model-params', join(HOME, 'model.json'), '--trust', join(HOME, 'trust.json'),
    '--state', state, '--dev-pki', join(HOME, 'pki'), '--host', host.address.toLowerCase(), '--rpc', url(ports.rpc),
    '--listen', `127.0.0.1:${ports.http[slot]}`, '--channel', `127.0.0.1:${ports.channel[slot]}`,
    '--threads', String(Math.max(1, Math.floor(context.cores / context.slots))),
  ];
  const log = join(HOME, 'logs', `node-${slot}.log`);
  const proc = await start(argv, log);
  const health = await waitFor(`node ${slot}`, log, proc, () => getJson(`${url(ports.http[slot])}/healthz`));
  return { proc, url: url(ports.http[slot]), slot, key: health.key, host };
}

/** A chain that was just started again may not know its older blocks' hashes yet: the evidence is then made anew. */
async function joinNode(node, context) {
  for (let attempt = 1; ; ++attempt) {
    try {
      return joinOnce(node, context);
    } catch (error) {
      if (attempt === 6) throw error;
      await sleep(1000);
    }
  }
}

/** The real calls: evidence for a fresh block, the auditor's verdict, the host's own transaction. */
function joinOnce(node, context) {
  const folder = join(HOME, 'join');
  mkdirSync(folder, { recursive: true });
  const request = join(folder, `${node.slot}.request.json`);
  const approval = join(folder, `${node.slot}.approval.json`);
  const rpc = url(context.ports.rpc);
  run('teetee', 'host', 'request', '--node', node.url, '--host', node.host.address.toLowerCase(), '--rpc', rpc, '--out', request);
  run('teetee', 'attest', 'approve', '--request', request, '--trust', join(HOME, 'trust.json'), '--model-params', join(HOME, 'model.json'), '--auditor-key-file', context.demo.publisher.file, '--out', approval);
  run('teetee', 'host', 'join', '--request', request, '--approval', approval, '--url', node.url, '--key-file', node.host.file, '--rpc', rpc, '--trust', join(HOME, 'trust.json'));
}

/** The folder of the built pages; undefined when they were not built (./dev up builds them). */
function pagesFolder() {
  const folder = join(ROOT, 'web/dist');
  return existsSync(join(folder, 'index.html')) ? folder : undefined;
}

/** The auditor of the development verifier: signs what joins through the pages. */
async function startAuditor({ ports, demo }) {
  const argv = [
    join(BIN, 'teetee'), 'attest', 'serve', '--listen', `127.0.0.1:${ports.auditor}`, '--trust', join(HOME, 'trust.json'),
    '--model-params', join(HOME, 'model.json'), '--auditor-key-file', demo.publisher.file,
  ];
  const log = join(HOME, 'logs/auditor.log');
  const proc = await start(argv, log);
  await waitFor('the auditor', log, proc, () => getJson(`${url(ports.auditor)}/healthz`));
  return proc;
}

/** The development image of a node, packed when the program changed; resolves to name@sha256:DIGEST. */
function nodeImage() {
  const done = spawnSync('python3', [join(ROOT, 'tools/image/build_image.py'), '--program', join(BIN, 'teetee-node'), '--out', join(HOME, 'image')], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`the node's image cannot be packed: ${done.stderr.trim() || done.error?.message}`);
  return done.stdout.trim();
}

async function startWeb({ ports, deployed, pages, image }) {
  const argv = [
    join(BIN, 'teetee'), 'web', '--listen', `127.0.0.1:${ports.web}`, '--dir', pages, '--gateway', url(ports.gateway), '--rpc', url(ports.rpc),
    '--trust', join(HOME, 'trust.json'), '--from-block', String(deployed.block), '--demo-wallet', join(HOME, 'keys'), '--auditor', '--node-image', image,
  ];
  const log = join(HOME, 'logs/web.log');
  const proc = await start(argv, log);
  await waitFor('the pages', log, proc, () => getJson(`${url(ports.web)}/healthz`));
  return proc;
}

async function startGateway({ ports, demo, deployed, pages, image }) {
  const argv = [
    join(BIN, 'teetee-gateway'), '--listen', `127.0.0.1:${ports.gateway}`, '--rpc', url(ports.rpc), '--registry', deployed.registry.toLowerCase(),
    '--ledger', deployed.ledger.toLowerCase(), '--chain-id', String(CHAIN_ID), '--from-block', String(deployed.block),
    '--state', join(HOME, 'gateway'), '--gas-key-file', demo.gas.file, '--public-rpc', url(ports.rpc), '--auditor', url(ports.auditor), '--node-image', image, ...(pages ? ['--web', pages] : []),
  ];
  const log = join(HOME, 'logs/gateway.log');
  const proc = await start(argv, log);
  await waitFor('the gateway', log, proc, () => getJson(`${url(ports.gateway)}/healthz`));
  return proc;
}

async function startProxy({ ports, demo }) {
  const argv = [
    join(BIN, 'teetee'), 'proxy', '--listen', `127.0.0.1:${ports.proxy}`, '--gateway', url(ports.gateway), '--rpc', url(ports.rpc),
    '--trust', join(HOME, 'trust.json'), '--key-file', demo.user.file, '--state', join(HOME, 'proxy'),
  ];
  const log = join(HOME, 'logs/proxy.log');
  const proc = await start(argv, log);
  await waitFor('the proxy', log, proc, () => getJson(`${url(ports.proxy)}/healthz`));
  return proc;
}

/** Plain text, which models without a chat template answer, too. */
async function firstAnswer({ ports, name }, procs) {
  const body = JSON.stringify({ model: name, prompt: 'Hello', max_tokens: 4, temperature: 0 });
  let last = '';
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(300)) {
    const answer = await fetch(`${url(ports.proxy)}/v1/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal: AbortSignal.timeout(60_000) }).catch((error) => error);
    if (answer.ok) return;
    last = answer instanceof Error ? answer.message : await answer.text();
    if (!isRunning(procs.proxy)) throw new Error(`the proxy stopped:\n${logTail(procs.proxy.log)}`);
  }
  throw new Error(`no answer came through the proxy; the last refusal was: ${last}`);
}

// ---------------------------------------------------------------- up.json

function describe(context, nodes, procs) {
  const named = { chain: procs.chain, gateway: procs.gateway, proxy: procs.proxy, auditor: procs.auditor, ...(procs.web ? { web: procs.web } : {}), ...Object.fromEntries(nodes.map((n) => [`node-${n.slot}`, n.proc])) };
  return {
    ...(procs.web ? { web: url(context.ports.web) } : {}),
    gateway: url(context.ports.gateway),
    proxy: url(context.ports.proxy),
    rpc: url(context.ports.rpc),
    chain_id: CHAIN_ID,
    contracts: { registry: context.deployed.registry, ledger: context.deployed.ledger, verifier: context.deployed.verifier },
    model: { id: context.id, name: context.name },
    class: 'simulated',
    money: 'demo money: this development chain makes it from nothing',
    // What `teetee host up` starts a node from.
    files: { manifest: join(context.folder, 'manifest.json'), shards: readJson(join(context.folder, 'manifest.json')).slots.map((slot) => join(context.folder, slot.file)), params: join(HOME, 'model.json'), pki: join(HOME, 'pki') },
    nodes: nodes.map((n) => ({ url: n.url, slot: n.slot, key: n.key, pid: n.proc.pid })),
    keys: Object.fromEntries(Object.entries(context.demo).map(([role, { file }]) => [role, file])),
    trust: join(HOME, 'trust.json'),
    image: context.image,
    pids: Object.fromEntries(Object.entries(named).map(([name, proc]) => [name, proc.pid])),
    processes: named,
  };
}

function report(up, seconds) {
  say(`
TeeTee is up${seconds === undefined ? '' : ` (${seconds.toFixed(1)} s)`}. SIMULATED evidence and demo money: for development only.

${up.web ? `  pages               ${up.web}       pool, chat, explorer, with .teetee/trust.json\n` : ''}  proxy (OpenAI API)  ${up.proxy}/v1      model ${up.model.name}
  gateway             ${up.gateway}       status page, receipts
  chain               ${up.rpc}       anvil, id ${up.chain_id}
${up.nodes.map((n) => `  node, slot ${n.slot}        ${n.url}       key ${n.key}`).join('\n')}
  state, keys, logs   .teetee/

Try:
  curl ${up.proxy}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{"model":"${up.model.name}","messages":[{"role":"user","content":"What is the capital of France?"}]}'
  build/bin/teetee chat --proxy ${up.proxy}

Stop: ./dev down${process.stderr.isTTY ? ' (or Ctrl-C here, if it runs in the foreground)' : ''}`);
}

function running() {
  if (!existsSync(UP)) return undefined;
  const up = readJson(UP);
  return Object.values(up.processes).some(isRunning) ? up : undefined;
}

export async function down() {
  const starting = lockHolder(join(HOME, 'up.lock')); // it stops what it started, and goes
  if (starting) await stop(starting, 60_000);
  const left = await stopLeftOver();
  if (!existsSync(UP)) return left || starting !== undefined;
  const { processes } = readJson(UP);
  for (const name of ['web', 'proxy', 'gateway', 'auditor', ...Object.keys(processes).filter((n) => n.startsWith('node-')), 'chain']) {
    if (processes[name]) await stop(processes[name]);
  }
  rmSync(UP, { force: true });
  return true;
}

async function up(opts) {
  const began = Date.now();
  mkdirSync(join(HOME, 'keys'), { recursive: true, mode: 0o700 });
  lock();
  if (await stopLeftOver()) say('  stopped what an earlier up had left behind');
  await checkPorts(opts.ports);
  const file = modelFile(opts.model);
  const name = opts.name ?? (opts.model ? basename(file, '.gguf').toLowerCase() : DEFAULT_NAME);
  const procs = {};
  const nodes = [];
  try {
    say('  starting the chain');
    procs.chain = await startChain(opts.ports);
    const demo = demoAccounts(join(HOME, 'keys'));
    const rpc = url(opts.ports.rpc);
    await fund(rpc, Object.values(demo).map((account) => account.address));
    const [deployed, folder] = await Promise.all([contracts(rpc, join(HOME, 'chain/contracts.json'), demo), Promise.resolve(splitModel(file, name, opts.slots, opts.model ? '' : DEFAULT_SYSTEM))]);
    const params = modelParams(folder, deployed);
    writeJson(join(HOME, 'model.json'), params);
    const id = await registerModel(rpc, deployed.registry, params, demo);
    writeTrust(deployed, name, id);
    const { availableParallelism } = await import('node:os');
    const context = { ports: opts.ports, slots: opts.slots, folder, demo, deployed, id, name, cores: availableParallelism(), pages: pagesFolder(), image: nodeImage() };
    if (!context.pages) say('  no pages: web/dist is not built');
    say(`  starting ${opts.slots} node${opts.slots === 1 ? '' : 's'}, gateway and proxy`);
    const starting = Array.from({ length: opts.slots }, (_, slot) => startNode(slot, context).then((node) => nodes.push(node)));
    procs.auditor = await startAuditor(context);
    procs.gateway = await startGateway(context);
    const started = await Promise.allSettled(starting);
    const failed = started.find((s) => s.status === 'rejected');
    if (failed) throw failed.reason;
    nodes.sort((a, b) => a.slot - b.slot);
    for (const node of nodes) await joinNode(node, context);
    procs.proxy = await startProxy(context);
    if (context.pages) procs.web = await startWeb(context);
    writeJson(UP, describe(context, nodes, procs));
    rmSync(LAUNCHED, { force: true });
    say('  waiting for a first answer');
    await firstAnswer(context, procs);
    report(readJson(UP), (Date.now() - began) / 1000);
  } catch (error) {
    await stopLaunched();
    throw error;
  }
}

async function main() {
  if (process.argv[2] === 'down') {
    setFolders(parseArgs({ args: process.argv.slice(3), options: { home: { type: 'string' } } }).values);
    say((await down()) ? 'stopped' : 'nothing was running');
    return;
  }
  process.argv.splice(2, 1); // 'up'
  const opts = options();
  const there = running();
  if (there) {
    report(there);
    return;
  }
  let leaving = false;
  const leave = async () => {
    if (leaving) return;
    leaving = true;
    say('\nstopping');
    await stopLaunched();
    process.exit(0);
  };
  process.on('SIGINT', leave);
  process.on('SIGTERM', leave);
  process.on('SIGHUP', leave);
  await up(opts);
  if (opts.detach) process.exit(0);
  const watched = readJson(UP).processes;
  for (const dead = new Set(); ; await sleep(1000)) {
    for (const [name, proc] of Object.entries(watched)) {
      if (!isRunning(proc) && !dead.has(name)) {
        dead.add(name);
        say(`${name} (pid ${proc.pid}) has stopped; its log: ${proc.log}`);
      }
    }
  }
}

main().catch((error) => {
  say(`up: ${error.shortMessage ?? error.message}`);
  process.exit(1);
});
