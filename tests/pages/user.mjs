// (a) A new user: connects, buys credits, chats in both ways of paying, sees each receipt verified, finds it in the explorer.
import { readFileSync } from 'node:fs';
import { until } from './stack.mjs';
import { newAccount, withWallet } from './wallet.mjs';

const ROLE = /New user/;

export async function ready(visitor, role = ROLE) {
  await visitor.goto('/chat');
  await visitor.connect(role);
  await visitor.unlock();
  await visitor.verified();
}

/** The chat of a wallet that is connected. */
export async function enter(visitor) {
  await visitor.goto('/chat');
  await visitor.unlock();
  await visitor.verified();
}

/** Says yes to what page and wallet ask until the n-th answer has its badge. */
async function agree(visitor, n, press = (button) => button.click()) {
  const asked = ['Open the tab', 'Approve'].map((name) => visitor.button(name));
  await until(`badge ${n}`, async () => {
    for (const button of asked) if (await button.isVisible()) await press(button);
    return visitor.badge(n).isVisible();
  }, 150);
}

export async function ask(visitor, text, n = 0) {
  await visitor.send(text);
  await agree(visitor, n);
}

/** The n-th receipt is verified here, and settled on chain. */
export async function receiptVerified(visitor, n) {
  await visitor.badge(n).getByText('Receipt verified').waitFor();
  await visitor.badge(n).getByText('on chain', { exact: true }).waitFor({ timeout: 60_000 });
}

async function inExplorer(visitor, n) {
  await visitor.badge(n).click();
  await visitor.page.getByRole('link', { name: 'Open in the explorer' }).click();
  await visitor.page.getByRole('heading', { name: 'Receipt', exact: true }).waitFor();
  await visitor.see(/on chain/);
}

async function bundleVerifies(visitor, n, stack) {
  await visitor.badge(n).click();
  const [download] = await Promise.all([visitor.page.waitForEvent('download'), visitor.button('Download for teetee verify').click()]);
  const file = stack.writeFile('bundle.json', readFileSync(await download.path(), 'utf8'));
  const done = stack.teetee('verify', file, '--trust', stack.up.trust);
  if (done.code !== 0) throw new Error(`teetee verify refused the page's bundle: ${done.err.slice(-400)} ${done.out.slice(-400)}`);
  await visitor.page.keyboard.press('Escape');
}

export const user = {
  'user.buys_and_asks_by_tab': (context) =>
    withWallet(context, async (visitor) => {
      const { stack } = context;
      await enter(visitor);
      await visitor.buy('0.05');
      await ask(visitor, 'What is the capital of France?');
      await receiptVerified(visitor, 0);
      await bundleVerifies(visitor, 0, stack);
      await inExplorer(visitor, 0);
    }),

  // The session key comes from the wallet: another browser with it pays from the same tab, and sends no transaction.
  'user.uses_the_tab_in_another_browser': async (context) => {
    const account = await newAccount(context.stack);
    await withWallet(context, async (visitor) => {
      await enter(visitor);
      await ask(visitor, 'Say hello.');
      await receiptVerified(visitor, 0);
    }, account);
    await withWallet(context, async (visitor) => {
      await enter(visitor);
      await ask(visitor, 'Say hello again.');
      await receiptVerified(visitor, 0);
      const asked = await visitor.page.evaluate(() => window.testWallet.asked);
      if (asked.includes('eth_sendTransaction')) throw new Error('a transaction was asked for');
    }, account);
  },

  'user.asks_by_transaction': ({ open }) =>
    open({}, async (visitor) => {
      await ready(visitor);
      await visitor.payBy('Sign each question on chain');
      await ask(visitor, 'What is the capital of France?');
      await receiptVerified(visitor, 0);
      await inExplorer(visitor, 0);
    }),

  // The same with keys alone: Tab until the wanted control has the focus, then Enter or Space.
  'user.by_keyboard': (context) =>
    withWallet(context, async (visitor) => {
      const { page } = visitor;
      await focusOn(page, /^Chat$/);
      await page.keyboard.press('Enter');
      await visitor.button(/with your wallet/).waitFor();
      await focusOn(page, /with your wallet/);
      await page.keyboard.press('Enter');
      await page.getByRole('textbox', { name: 'Your question' }).waitFor({ timeout: 60_000 });
      await visitor.verified();
      await focusOn(page, /^Your question$/);
      await page.keyboard.type('What is the capital of France?');
      await page.keyboard.press('Enter');
      await agree(visitor, 0, async (button) => {
        await focusOn(page, new RegExp(`^${await button.textContent()}$`));
        await page.keyboard.press('Enter');
      });
      await focusOn(page, /Receipt verified/);
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor();
    }),
};

const nameOfFocus = (page) => page.evaluate(() => {
  const at = document.activeElement;
  return !at || at === document.body ? '' : (at.getAttribute('aria-label') ?? at.textContent ?? '');
});

async function focusOn(page, name) {
  for (let i = 0; i < 80; i++) {
    if (name.test((await nameOfFocus(page)).trim())) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never reaches ${name}`);
}
