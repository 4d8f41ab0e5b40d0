// The running system as the tests of the pages see it: up.json, one more node, one more `teetee web`, and what stops them again.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { isRunning, start } from '../../tools/up/processes.mjs';

export const ROOT = resolve(new URL('../..', import.meta.url).pathname);
const PORT_BASE = '20080';
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export async function until(what, check, seconds = 60) {
  let last;
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(200)) {
    try {
      const value = await check();
      if (value) return value;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`${what}: not within ${seconds} s${last ? ` (${last.message})` : ''}`);
}

export function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

export class Stack {
  home = join(ROOT, '.teetee');
  file = join(this.home, 'up.json');
  bin = join(ROOT, 'build/bin');
  started = false;
  folder = mkdtempSync(join(tmpdir(), 'teetee-pages-'));

  async begin() {
    const runs = () => existsSync(this.file) && Object.values(JSON.parse(readFileSync(this.file, 'utf8')).processes).some(isRunning);
    if (!runs()) {
      const done = spawnSync('./dev', ['up', '--detach', '--port-base', PORT_BASE], { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 1_800_000 });
      this.started = true;
      if (done.status !== 0) throw new Error(`./dev up --detach ended with ${done.status}\n${done.stderr.slice(-3000)}`);
    }
    this.up = JSON.parse(readFileSync(this.file, 'utf8'));
    if (!this.up.web) throw new Error('up.json names no web: are the pages built (web/dist)?');
  }

  end() {
    rmSync(this.folder, { recursive: true, force: true });
    if (this.started) spawnSync('./dev', ['down'], { cwd: ROOT, stdio: 'ignore' });
  }

  /** SIGKILL to a process of the running system; resolves when it is gone. */
  async kill(name) {
    const entry = this.up.processes[name];
    process.kill(entry.pid, 'SIGKILL');
    await until(`${name} is gone`, () => !isRunning(entry), 10);
  }

  /** As `up` had started it; up.json learns the new pid, so that `./dev down` finds it. */
  async startAgain(name) {
    const { argv, log } = this.up.processes[name];
    this.up.processes[name] = await start(argv, log);
    const { pid } = this.up.processes[name];
    this.up.pids[name] = pid;
    const node = this.up.nodes.find(({ slot }) => name === `node-${slot}`);
    if (node) node.pid = pid;
    writeFileSync(this.file, `${JSON.stringify(this.up, null, 2)}\n`);
    if (node) await until(`${name} serves again`, async () => (await fetch(`${node.url}/healthz`)).ok && (await this.json(`${this.up.gateway}/v1/teetee/nodes/${node.key}`)).live, 60);
  }

  /** One JSON-RPC call to the development chain. */
  async rpc(method, params = []) {
    const answer = await fetch(this.up.rpc, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
    const { result, error } = await answer.json();
    if (error) throw new Error(`${method}: ${error.message}`);
    return result;
  }

  async json(url) {
    return (await fetch(url)).json();
  }

  teetee(...args) {
    const done = spawnSync(join(this.bin, 'teetee'), args.map(String), { encoding: 'utf8', timeout: 60_000 });
    return { code: done.status, out: done.stdout, err: done.stderr };
  }

  /** Asks through the proxy of this machine: traffic that pays hosts. */
  async ask(text, max_tokens = 8, proxy = this.up.proxy) {
    const answer = await fetch(`${proxy}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: this.up.model.name, messages: [{ role: 'user', content: text }], max_tokens, temperature: 0 }),
    });
    if (!answer.ok) throw new Error(`the proxy answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`);
    return answer.json();
  }

  /** A process of our own until `use` is done. */
  async with(argv, use) {
    const child = spawn(argv[0], argv.slice(1).map(String), { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => (out += data));
    child.stderr.on('data', (data) => (err += data));
    const ended = new Promise((done) => child.on('exit', done));
    try {
      return await use({ child, out: () => out, err: () => err });
    } finally {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await ended;
      clearTimeout(late);
    }
  }

  /** The n-th line of what a process of `with` prints. */
  line(name, process, n = 0) {
    return until(name, () => {
      const lines = process.out().split('\n');
      if (lines.length > n + 1) return lines[n];
      if (process.child.exitCode !== null) throw new Error(`it ended: ${process.err().slice(-400)}`);
      return undefined;
    });
  }

  /** Records all that goes over loopback while `use` runs; `use` gives { prompt, answer, known }. See tests/e2e/listen.py. */
  capture(use) {
    return this.with([join(ROOT, '.venv/bin/python'), '-m', 'tests.e2e.listen'], async (process) => {
      await this.line('the capture', process);
      process.child.stdin.end(`${JSON.stringify(await use())}\n`);
      return JSON.parse(await this.line('the capture is searched', process, 1));
    });
  }

  /** `teetee host up`: a node that has not joined. */
  hostUp(slot, account, use, more = []) {
    const argv = [join(this.bin, 'teetee'), 'host', 'up', '--home', this.home, '--slot', slot, '--account', account, '--json', ...more];
    return this.with(argv, async (process) => use(JSON.parse(await this.line('teetee host up', process)), process));
  }

  /** A second `teetee web` with another gateway or RPC. */
  async web({ gateway = this.up.gateway, rpc = this.up.rpc, trust = this.up.trust }, use) {
    const port = await freePort();
    const argv = [join(this.bin, 'teetee'), 'web', '--listen', `127.0.0.1:${port}`, '--dir', join(ROOT, 'web/dist'), '--gateway', gateway, '--rpc', rpc, '--trust', trust, '--demo-wallet', join(this.home, 'keys')];
    return this.with(argv, async () => {
      const url = `http://127.0.0.1:${port}`;
      await until('teetee web', async () => (await fetch(`${url}/config.json`)).ok, 20);
      return use(url);
    });
  }

  /** A key with demo money, in a file of its own. */
  async newKeyFile() {
    const require = createRequire(join(ROOT, 'web/package.json'));
    const { generatePrivateKey, privateKeyToAccount } = require('viem/accounts');
    const key = generatePrivateKey();
    await this.rpc('anvil_setBalance', [privateKeyToAccount(key).address, '0x8ac7230489e80000']);
    const path = join(mkdtempSync(join(this.folder, 'key-')), 'user.key');
    writeFileSync(path, `${key}\n`, { mode: 0o600 });
    return path;
  }

  /** A proxy of a new user, with a route of its own; `use` gets what asks through it. */
  async proxy(use) {
    const port = await freePort();
    const state = mkdtempSync(join(this.folder, 'proxy-'));
    const argv = [join(this.bin, 'teetee'), 'proxy', '--listen', `127.0.0.1:${port}`, '--gateway', this.up.gateway, '--rpc', this.up.rpc, '--trust', this.up.trust, '--key-file', await this.newKeyFile(), '--state', state];
    return this.with(argv, async () => {
      const url = `http://127.0.0.1:${port}`;
      await until('the proxy', async () => (await fetch(`${url}/healthz`)).ok, 30);
      return use((text) => this.ask(text, 8, url));
    });
  }

  writeFile(name, text) {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    return path;
  }
}
