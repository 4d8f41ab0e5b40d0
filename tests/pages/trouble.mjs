// (e) What goes wrong in practice: each leaves a clear state and no lost money.
import { askByTab, enter } from './user.mjs';
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
      await askByTab(visitor, 'Say hello.');
      await visitor.send('Write a long story about a lighthouse and the sea.');
      await visitor.page.locator('article[aria-busy=true]').waitFor();
      await visitor.page.waitForFunction(() => (document.querySelector('article[aria-busy=true]')?.textContent ?? '').length > 40, undefined, { timeout: 60_000 });
      await visitor.page.reload();
      await visitor.unlock();
      await visitor.button('Fetch the answer').click({ timeout: 60_000 });
      await visitor.badge(1).getByText('Receipt verified').waitFor({ timeout: 180_000 });
    }),

  'trouble.stopped_by_the_person': (context) =>
    withWallet(context, async (visitor) => {
      await enter(visitor);
      await askByTab(visitor, 'Say hello.');
      await visitor.send('Write a very long story about a lighthouse and the sea.');
      await visitor.page.waitForFunction(() => (document.querySelector('article[aria-busy=true]')?.textContent ?? '').length > 40, undefined, { timeout: 60_000 });
      await visitor.button('Stop').click();
      await visitor.see(/Stopped/);
    }),
};
