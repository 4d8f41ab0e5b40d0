// (a) A new user: connects, buys credits, chats in both ways of paying, sees each receipt verified, finds it in the explorer.
import { readFileSync } from 'node:fs';
import { until } from './stack.mjs';
import { withWallet } from './wallet.mjs';

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

/** Asks by tab, opening or topping it up when the page asks for it. */
export async function askByTab(visitor, text, n = 0) {
  await visitor.send(text);
  await Promise.race([visitor.button('Open the tab').waitFor({ timeout: 60_000 }).catch(() => {}), visitor.badge(n).waitFor({ timeout: 120_000 })]);
  if (await visitor.button('Open the tab').isVisible()) {
    await visitor.button('Open the tab').click();
    while (!(await visitor.badge(n).isVisible())) {
      if (await visitor.button('Approve').isVisible()) await visitor.approve();
      await visitor.page.waitForTimeout(200);
    }
  }
  await visitor.badge(n).waitFor({ timeout: 120_000 });
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
      await askByTab(visitor, 'What is the capital of France?');
      await receiptVerified(visitor, 0);
      await bundleVerifies(visitor, 0, stack);
      await inExplorer(visitor, 0);
    }),

  'user.asks_by_transaction': ({ open }) =>
    open({}, async (visitor) => {
      await ready(visitor);
      await visitor.payBy('Sign each question on chain');
      await visitor.send('What is the capital of France?');
      while (!(await visitor.badge().isVisible())) {
        if (await visitor.button('Approve').isVisible()) await visitor.approve();
        await visitor.page.waitForTimeout(200);
      }
      await receiptVerified(visitor, 0);
      await inExplorer(visitor, 0);
    }),

  // The same with keys alone: Tab until the wanted control has the focus, then Enter or Space.
  'user.by_keyboard': (context) =>
    withWallet(context, async (visitor) => {
      const { page } = visitor;
      await focusOn(page, /^Chat$/);
      await page.keyboard.press('Enter');
      for (const name of [/with your wallet/]) {
        await until(`the control ${name}`, () => page.getByRole('button', { name }).last().isVisible());
        await focusOn(page, name);
        await page.keyboard.press('Enter');
      }
      await page.getByRole('textbox', { name: 'Your question' }).waitFor({ timeout: 60_000 });
      await visitor.verified();
      await focusOn(page, /^Your question$/);
      await page.keyboard.type('What is the capital of France?');
      await page.keyboard.press('Enter');
      while (!(await visitor.badge().isVisible())) {
        for (const name of [/^Open the tab$/, /^Approve$/]) {
          if (!(await page.getByRole('button', { name }).isVisible())) continue;
          await focusOn(page, name);
          await page.keyboard.press('Enter');
        }
        await page.waitForTimeout(300);
      }
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
