// How the pages look: axe finds nothing serious on any of them, and pictures are made, some of which stand in docs/pages/.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AXE } from './browser.mjs';
import { ROOT } from './stack.mjs';
import { ask, ready } from './user.mjs';

const PICTURES = join(ROOT, 'build/pages');
const WIDTHS = [390, 768, 1440];
const AXE_AT = { light: 390, dark: 1440 }; // it takes seconds on a long page
// The whole length, but where that says nothing more, and on phones, where the navigation stands at the window's foot.
const whole = (name, width) => width > 390 && !['chat', 'glossary', 'node', 'receipt'].includes(name);

async function pagesOf(stack) {
  const { receipts } = await stack.json(`${stack.up.gateway}/v1/teetee/receipts?limit=1`);
  const { id } = stack.up.model;
  return {
    models: '/', pool: '/pool', slot: `/pool/${id}/1`, dashboard: '/dashboard', explorer: '/explorer', receipt: `/explorer/receipt/${receipts[0].hash}`,
    node: `/explorer/node/${stack.up.nodes[0].key}`, model: `/explorer/model/${id}`, settings: '/settings', glossary: '/glossary',
  };
}

async function settle(page) {
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  await page.waitForFunction(() => !document.querySelector('[aria-label=Loading]'));
  await page.waitForTimeout(400); // a chart draws itself
}

async function serious(page) {
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }));
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 160)}`);
}

const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Pictures of what is shown now, and what is wrong with it. */
async function judge(page, name, scheme) {
  const found = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForTimeout(200);
    await page.screenshot({ path: join(PICTURES, `${name}-${width}-${scheme}.png`), fullPage: whole(name, width) });
    if ((await wide(page)) > 1) found.push(`${name} at ${width}: wider than the window`);
    if (width === AXE_AT[scheme]) found.push(...(await serious(page)).map((text) => `${name} at ${width}: ${text}`));
  }
  return found;
}

/** Every page as a host sees it, who has just asked something. */
async function looksRight({ stack, open }, scheme) {
  mkdirSync(PICTURES, { recursive: true });
  await open({ scheme }, async (visitor) => {
    const { page } = visitor;
    await ready(visitor, /Host 2/);
    await visitor.payBy('Free, as a host');
    await ask(visitor, 'What is a lighthouse? Answer in two sentences.');
    const found = await judge(page, 'chat', scheme);
    for (const [name, path] of Object.entries(await pagesOf(stack))) {
      await visitor.goto(path);
      await settle(page);
      found.push(...(await judge(page, name, scheme)));
    }
    if (found.length) throw new Error(found.join('\n  '));
  });
}

export const look = {
  'look.light': (context) => looksRight(context, 'light'),
  'look.dark': (context) => looksRight(context, 'dark'),
};
