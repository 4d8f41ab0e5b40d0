// Debian's Chromium by playwright-core, and what a person does on the pages. Every context is watched: no request to another origin
// than the page's own, gateway and RPC, no violation of the content policy, no error that nobody caught.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from './stack.mjs';

const require = createRequire(join(ROOT, 'web/package.json'));
const { chromium } = require('playwright-core');
export const AXE = require.resolve('axe-core/axe.min.js');
const LONG = 60_000;

export const launch = () => chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] });

export class Visitor {
  approves = true;
  constructor(page, base, watch) {
    Object.assign(this, { page, base, watch });
  }

  goto(path) {
    return this.page.goto(this.base + path);
  }
  button(name, options) {
    return this.page.getByRole('button', { name, ...options });
  }
  async see(text, timeout = LONG) {
    await this.page.getByText(text).first().waitFor({ timeout });
  }

  /** Connects the demo wallet as one of its accounts. */
  async connect(role) {
    await this.button('Connect wallet').first().click();
    await this.button(/Demo wallet/).click();
    await this.button(role).click();
  }
  /** Yes to what the demo wallet asks; other wallets are asked elsewhere. */
  async approve(times = 1) {
    if (!this.approves) return;
    for (let i = 0; i < times; i++) {
      await this.button('Approve').click({ timeout: LONG });
      await this.button('Approve').waitFor({ state: 'hidden', timeout: 10_000 }).catch(() => {});
    }
  }
  async unlock() {
    await this.button(/(Sign|Open) with your wallet/).click({ timeout: LONG });
    await this.approve();
    await this.page.getByRole('textbox', { name: 'Your question' }).waitFor({ timeout: LONG });
  }
  /** The lock is closed: every stage of the route verified, in this browser. */
  async verified() {
    await this.page.getByTestId('route-lock').getByText(/^Verified/).waitFor({ timeout: LONG });
  }
  async buy(sum = '0.05') {
    await this.button(/Pay by/).click();
    await this.button('Buy credits').click();
    await this.page.getByLabel('Sum').fill(sum);
    await this.button('Buy', { exact: false }).last().click();
    await this.approve();
    await this.see('The credits are yours.');
    await this.button('Close').last().click();
  }
  async send(text) {
    await this.page.getByRole('textbox', { name: 'Your question' }).fill(text);
    await this.page.keyboard.press('Enter');
  }
  async payBy(way) {
    await this.button(/Pay by/).click();
    await this.page.getByText(way).click();
    await this.button('Done').click();
  }
  badge(n = 0) {
    return this.page.getByTestId('proof-badge').nth(n);
  }
}

function watchPage(page, allowed, watch) {
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && !allowed.includes(url.origin)) watch.foreign.push(request.url());
  });
  page.on('pageerror', (error) => watch.errors.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) watch.policy.push(message.text());
  });
}

/** Runs `use` with a page at `base`; then judges what was watched. */
export async function visit(browser, { base, origins, width = 1280, scheme = 'light', init }, use) {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, acceptDownloads: true });
  const watch = { foreign: [], errors: [], policy: [] };
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    for (const [name, call] of Object.entries(init?.expose ?? {})) await page.exposeFunction(name, call);
    if (init) await page.addInitScript(init.script, init.argument);
    watchPage(page, [new URL(base).origin, ...origins], watch);
    await use(new Visitor(page, base, watch));
  } catch (error) {
    const picture = join(ROOT, 'build', `failed-${Date.now()}.png`);
    await context.pages()[0]?.screenshot({ path: picture }).then(() => (error.stack += `\n  picture: ${picture}`), () => {});
    throw error;
  } finally {
    await context.close();
  }
  if (watch.foreign.length) throw new Error(`requests to other origins: ${watch.foreign.slice(0, 3).join(' ')}`);
  if (watch.policy.length) throw new Error(`against the content policy: ${watch.policy[0]}`);
  if (watch.errors.length) throw new Error(`an error that nobody caught: ${watch.errors[0]}`);
}
