// (b) A host joins a slot with a freshly started node by pasting its URL, serves, sees usage and earnings grow, withdraws.
// (c) The same with nodes that must not get in: the right check fails with its reason, and nothing is offered to be signed.
import { createServer } from 'node:http';
import { appendFileSync, copyFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT, until } from './stack.mjs';
import { enter, ready } from './user.mjs';
import { readLedger, withWallet } from './wallet.mjs';

const YAML = createRequire(join(ROOT, 'web/package.json'))('yaml');
const SLOT = 1;
const ROLE = /Host 1/; // slot 1's first node belongs to host 2

async function slotPage(visitor, stack) {
  await visitor.goto(`/pool/${stack.up.model.id}/${SLOT}`);
  await visitor.page.getByRole('heading', { name: /^Slot 1 of/ }).waitFor();
  await visitor.button('Connect a wallet').click();
  await visitor.button(/Demo wallet/).click();
  await visitor.button(ROLE).click();
}

async function checkNode(visitor, url) {
  await visitor.page.getByLabel('URL of the node').fill(url);
  await visitor.button(/Check (the node|again)/).click();
  await visitor.page.waitForFunction(
    () => document.querySelectorAll('[data-check]').length > 0 && !document.querySelector('[data-status=running],[data-status=waiting]'),
    undefined,
    { timeout: 120_000 },
  );
  const rows = await visitor.page.locator('[data-check]').evaluateAll((list) => list.map((row) => [row.dataset.check, row.dataset.status, row.textContent]));
  return Object.fromEntries(rows.map(([id, status, text]) => [id, { status, text }]));
}

const failed = (checks) => Object.entries(checks).filter(([, check]) => check.status === 'failed');

/** Exactly what a host must see of a node that is refused. */
async function refusedBy(visitor, checks, ids) {
  const found = failed(checks).map(([id]) => id);
  if (!found.some((id) => ids.includes(id))) throw new Error(`none of ${ids} failed, but ${found.join(', ') || 'nothing'}: ${JSON.stringify(checks).slice(0, 900)}`);
  for (const [id, check] of failed(checks)) if (!/What to do:/.test(check.text)) throw new Error(`${id} names no cure`);
  if (await visitor.button('Join the slot').isVisible()) throw new Error('a transaction is offered all the same');
}

async function composeIsComplete(visitor) {
  const hash = await visitor.page.getByText(/^[0-9a-f]{64}$|^0x[0-9a-f]{64}$/).first().textContent();
  const save = async (name) => {
    const [download] = await Promise.all([visitor.page.waitForEvent('download'), visitor.button(name).click()]);
    const chunks = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  };
  const yaml = YAML.parse(await save('Download docker-compose.yaml'));
  const app = await save('Download app-compose.json');
  for (const [name, service] of Object.entries(yaml.services)) {
    if (!/@sha256:[0-9a-f]{64}$/.test(service.image ?? '')) throw new Error(`service ${name} names its image not by digest: ${service.image}`);
  }
  const real = createHash('sha256').update(app).digest('hex');
  if (hash.replace(/^0x/, '') !== real) throw new Error(`the page shows compose hash ${hash}, the file has ${real}`);
  return app;
}

async function joinSlot(visitor) {
  await visitor.button('Join the slot').click();
  await visitor.approve();
  await visitor.see('The slot is lit: your node serves.', 90_000);
}

const usage = async (stack, key) => (await stack.json(`${stack.up.gateway}/v1/teetee/nodes/${key}/usage?range=hour`)).points.reduce((sum, point) => sum + point.tokens_out, 0);

/** Proxies choose nodes at random: fresh ones are started until one has gone over the new node. */
async function trafficOver(stack, key) {
  for (let i = 0; i < 12; i++) {
    await stack.proxy(async (ask) => ask('Count to three.'));
    if ((await usage(stack, key)) > 0) return;
    await new Promise((done) => setTimeout(done, 2500));
    if ((await usage(stack, key)) > 0) return;
  }
  throw new Error('no traffic went over the new node');
}

/** One transaction for each node and line: the button says how many. */
async function collectAll(visitor) {
  const collect = visitor.button(/^Collect/);
  await until('something can be collected', () => collect.isEnabled(), 90);
  const times = /\((\d+) transactions\)/.exec(await collect.textContent())?.[1] ?? '1';
  await collect.click();
  await visitor.approve(Number(times));
  await visitor.see('Collected: it is on your balance.');
}

export const host = {
  'host.joins_serves_earns_withdraws': ({ stack, open }) =>
    open({}, async (visitor) => {
      await slotPage(visitor, stack);
      const compose = stack.writeFile('app-compose.json', await composeIsComplete(visitor));
      await stack.hostUp(
        SLOT,
        'host1',
        async (node) => {
          const checks = await checkNode(visitor, node.url);
          if (failed(checks).length) throw new Error(`checks failed: ${JSON.stringify(failed(checks))}`);
          for (const id of ['hardware.compose', 'model.answer']) if (checks[id].status !== 'passed') throw new Error(`${id}: ${checks[id].text}`);
          await joinSlot(visitor);
          await until('the gateway lists it', async () => (await stack.json(`${stack.up.gateway}/v1/teetee/nodes/${node.key}`)).live, 30);
          await trafficOver(stack, node.key);
          await visitor.goto('/dashboard');
          await collectAll(visitor);
          await visitor.button('Withdraw', { exact: true }).click();
          const dialog = visitor.page.getByRole('dialog');
          await dialog.getByRole('button', { name: /all|everything/i }).click();
          await dialog.getByRole('button', { name: 'Withdraw' }).click();
          await visitor.approve();
          await visitor.see(/on its way to your wallet|Withdrawn|in your wallet/);
        },
        ['--compose', compose],
      );
    }),

  // Host 2 holds slot 1 of the stack itself. Nothing is paid: the receipt says so, and the wallet sent nothing to the chain.
  'host.chats_free': ({ stack, open }) =>
    open({}, async (visitor) => {
      const { accounts } = await stack.json(`${stack.up.web}/demo-wallet.json`);
      const { address } = accounts.find(({ name }) => name === 'host2');
      const money = async () => [await readLedger(stack, 'balanceOf', [address]), await stack.rpc('eth_getTransactionCount', [address, 'latest'])].join();
      const before = await money();
      await ready(visitor, /Host 2/);
      await visitor.payBy('Free, as a host');
      await visitor.send('What is the capital of France?');
      await visitor.approve();
      await visitor.badge().getByText('Receipt verified').waitFor();
      await visitor.badge().getByText('free', { exact: true }).waitFor();
      await visitor.button(/Pay by/).click();
      await visitor.see(/The free quota that is left cannot be shown/);
      if ((await money()) !== before) throw new Error(`credits and transactions were ${before}, and are ${await money()}`);
    }),

  // For everybody else the way is closed.
  'host.others_do_not_chat_free': (context) =>
    withWallet(context, async (visitor) => {
      await enter(visitor);
      await visitor.button(/Pay by/).click();
      await visitor.see(/For wallets that host a node of this model/);
      if (await visitor.page.getByRole('radio', { name: /Free, as a host/ }).isEnabled()) throw new Error('it can be chosen all the same');
    }),

  'host.unreachable_url': ({ stack, open }) =>
    open({}, async (visitor) => {
      await slotPage(visitor, stack);
      await refusedBy(visitor, await checkNode(visitor, 'http://127.0.0.1:1'), ['node.reachable']);
    }),

  'host.private_address': ({ stack, open }) =>
    open({}, async (visitor) => {
      await slotPage(visitor, stack);
      await refusedBy(visitor, await checkNode(visitor, 'http://169.254.169.254:9100'), ['node.address']);
    }),

  'host.wrong_shard': ({ stack, open }) =>
    open({}, async (visitor) => {
      await slotPage(visitor, stack);
      const other = stack.up.nodes.find((node) => node.slot !== SLOT);
      await refusedBy(visitor, await checkNode(visitor, other.url), ['node.identity', 'model.weights', 'claims.place']);
    }),

  'host.wrong_measurement': ({ stack, open }) =>
    open({}, async (visitor) => {
      const program = join(stack.folder, 'teetee-node');
      copyFileSync(join(stack.bin, 'teetee-node'), program);
      appendFileSync(program, 'changed');
      await slotPage(visitor, stack);
      await stack.hostUp(SLOT, 'host1', async (node) => refusedBy(visitor, await checkNode(visitor, node.url), ['hardware.measurement']), ['--program', program]);
    }),

  'host.debug_quote': ({ stack, open }) =>
    open({}, async (visitor) => {
      await slotPage(visitor, stack);
      await stack.hostUp(SLOT, 'host1', async (node) => refusedBy(visitor, await checkNode(visitor, node.url), ['hardware.quote', 'hardware.measurement']), ['--', '--simulated-debug']);
    }),

  'host.wrong_answers': ({ stack, open }) =>
    open({}, async (visitor) => {
      await slotPage(visitor, stack);
      await stack.hostUp(SLOT, 'host1', (node) =>
        lying(node.url, '/v1/teetee/known-answer', (text) => text.replace(/("output_sha256":")([0-9a-f])/, (_, a, b) => a + (b === '0' ? '1' : '0')), async (url) => refusedBy(visitor, await checkNode(visitor, url), ['model.answer'])),
      );
    }),
};

/** Serves what `upstream` says, with the answers of one path changed. */
export async function lying(upstream, path, change, use) {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = { 'content-type': request.headers['content-type'] ?? 'application/octet-stream' };
    const answer = await fetch(upstream + request.url, { method: request.method, headers, body: chunks.length ? Buffer.concat(chunks) : undefined }).catch(() => null);
    const body = answer ? Buffer.from(await answer.arrayBuffer()) : Buffer.alloc(0);
    const changed = request.url.split('?')[0].match(path) ? Buffer.from(change(body.toString('utf8'), request.url)) : body;
    const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*', 'access-control-allow-methods': '*' };
    response.writeHead(answer?.status ?? 502, { 'content-type': answer?.headers.get('content-type') ?? 'text/plain', ...cors });
    response.end(changed);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  try {
    return await use(`http://127.0.0.1:${server.address().port}`, server);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
