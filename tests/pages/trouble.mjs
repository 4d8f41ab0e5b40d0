// (e) What goes wrong in practice: each leaves a clear state and no lost money.
import { until } from './stack.mjs';
import { ask, enter, receiptVerified } from './user.mjs';
import { readLedger, withWallet } from './wallet.mjs';

/** The dialog for buying, from the wallet's own menu. */
async function openBuy(visitor) {
  await visitor.button(/0x[0-9a-fA-F]{4}…/).first().click();
  await visitor.button('Buy credits').click();
}
async function buy(visitor, sum) {
  await visitor.page.getByLabel('Sum').fill(sum);
  await visitor.page.getByRole('dialog').getByRole('button', { name: /^Buy/ }).last().click();
}
const set = (visitor, change) => visitor.page.evaluate((c) => Object.assign(window.testWallet, c), change);

const STANDS = /ETH stand on chain for this question/;
const BY_TAB = 'Open a tab once';
const LONG_QUESTION = 'Write a very long story about a lighthouse and the sea.';

/** Until words of the last answer are there and more are coming: more than any step's name is long. */
const streaming = ({ page }) =>
  page.waitForFunction(() => (document.querySelector('article[aria-busy=true]')?.textContent ?? '').length > 120, undefined, { timeout: 60_000 });

/** What the chain took from the tab is the sum of the receipts that this page verified, to the last wei. */
async function chargedAsReceipted(visitor, stack, user) {
  const line = await readLedger(stack, 'lineOf', [stack.up.model.id, stack.up.nodes.find((node) => node.slot === 0).key]);
  const costs = (await visitor.page.getByTestId('proof-badge').allTextContents()).map((text) => Math.round(1e9 * Number(/([0-9.]+) ETH/.exec(text)[1])));
  const sum = BigInt(costs.reduce((a, b) => a + b)) * 10n ** 9n;
  await until('the tab is charged', async () => (await readLedger(stack, 'tab', [user, line]))[1] === sum, 30);
}

/**
 * Kills a node while it answers and starts it again. The page tells what happened; then the same question is answered, by the tab,
 * and what `stays` says is still there.
 */
const dies = (name, way, told, stays) => (context) =>
  withWallet(context, async (visitor, address) => {
    const { stack } = context;
    await enter(visitor);
    await ask(visitor, 'Say hello.');
    await visitor.payBy(way);
    await visitor.send(LONG_QUESTION);
    await streaming(visitor);
    await stack.kill(name);
    try {
      for (const text of told) await visitor.see(text);
    } finally {
      await stack.startAgain(name);
    }
    await visitor.payBy(BY_TAB);
    await visitor.button('Answer again').last().click();
    await streaming(visitor);
    await visitor.button('Stop').click();
    await receiptVerified(visitor, 1);
    if (stays) await visitor.see(stays);
    await chargedAsReceipted(visitor, stack, address);
  });

export const trouble = {
  'trouble.wallet_refuses': (context) =>
    withWallet(context, async (visitor) => {
      await openBuy(visitor);
      await set(visitor, { refuse: true });
      await buy(visitor, '0.01');
      await visitor.see(/refused|rejected|declined/i);
      await set(visitor, { refuse: false });
      await buy(visitor, '0.01');
      await visitor.see('The credits are yours.');
    }),

  'trouble.wrong_chain': (context) =>
    withWallet(context, async (visitor) => {
      await openBuy(visitor);
      await set(visitor, { chain: '0x1' });
      await buy(visitor, '0.01');
      await visitor.button('Switch the wallet').click();
      await buy(visitor, '0.01');
      await visitor.see('The credits are yours.');
    }),

  // Tried without sending it would pass; what the wallet sends has too little gas, so the chain mines it and reverts it.
  'trouble.transaction_reverted': (context) =>
    withWallet(context, async (visitor, address) => {
      const credits = () => readLedger(context.stack, 'balanceOf', [address]);
      await openBuy(visitor);
      await set(visitor, { gas: '0x7530' });
      await buy(visitor, '0.01');
      await visitor.see('The transaction was reverted');
      await visitor.see(/moved nothing but its fee/);
      if ((await credits()) !== 0n) throw new Error('it was not reverted');
      await set(visitor, { gas: undefined });
      await buy(visitor, '0.01');
      await visitor.see('The credits are yours.');
      if ((await credits()) !== 10n ** 16n) throw new Error(`${await credits()} wei of credits, not 0.01 ETH`);
    }),

  'trouble.insufficient_funds': (context) =>
    withWallet(context, async (visitor) => {
      await openBuy(visitor);
      await visitor.page.getByLabel('Sum').fill('99999999');
      await visitor.see('This is more than the wallet holds.');
    }),

  // The chain's RPC is not there: said, with what to do; nothing is lost, and nothing is sent.
  'trouble.rpc_down': ({ stack, open, origins }) =>
    stack.web({ rpc: 'http://127.0.0.1:9' }, (base) =>
      open({ base, origins: [...origins, 'http://127.0.0.1:9'] }, async (visitor) => {
        await visitor.goto('/chat');
        await visitor.connect(/New user/);
        await visitor.unlock();
        await visitor.see(/the chain cannot be asked/);
        await visitor.see('The route is not verified, so nothing is sent.');
        if (await visitor.button('Send').isEnabled()) throw new Error('it can be sent all the same');
      }),
    ),

  // Reloaded in the middle of an answer: it is kept by the machines, and fetched again from the stored ciphertext.
  'trouble.reload_in_the_middle': (context) =>
    withWallet(context, async (visitor) => {
      await enter(visitor);
      await ask(visitor, 'Say hello.');
      await visitor.send(LONG_QUESTION);
      await streaming(visitor);
      await visitor.page.reload();
      await visitor.unlock();
      await visitor.button('Fetch the answer').click({ timeout: 60_000 });
      await visitor.badge(1).getByText('Receipt verified').waitFor({ timeout: 180_000 });
    }),

  'trouble.stopped_by_the_person': (context) =>
    withWallet(context, async (visitor) => {
      await enter(visitor);
      await ask(visitor, 'Say hello.');
      await visitor.send(LONG_QUESTION);
      await streaming(visitor);
      await visitor.button('Stop').click();
      await visitor.see(/Stopped/);
    }),

  'trouble.stage_dies_in_the_middle': dies('node-1', BY_TAB, ['A node of this route failed', /Nothing was charged/]),

  // What was paid for it stands on chain, and can be taken back.
  'trouble.head_dies_in_the_middle': dies('node-0', 'Sign each question on chain', [/does not answer now/, STANDS], STANDS),
};
