// How the pages look: axe finds nothing serious on any of them, and pictures are made for docs/pages/.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AXE } from './browser.mjs';
import { ROOT } from './stack.mjs';

const PICTURES = join(ROOT, process.env.TEETEE_PICTURES ?? 'build/pages');
const WIDTHS = [390, 768, 1440];

async function pagesOf(stack) {
  const receipts = (await stack.json(`${stack.up.gateway}/v1/teetee/receipts?limit=1`)).receipts;
  const receipt = receipts[0] ? { receipt: `/explorer/receipt/${receipts[0].hash}` } : {};
  const { id } = stack.up.model;
  return {
    models: '/', chat: '/chat', pool: '/pool', slot: `/pool/${id}/1`, dashboard: '/dashboard', explorer: '/explorer', ...receipt,
    node: `/explorer/node/${stack.up.nodes[0].key}`, model: `/explorer/model/${id}`, settings: '/settings', glossary: '/glossary',
  };
}

async function settle(page) {
  await page.getByRole('heading', { level: 1 }).first().waitFor();
  await page.waitForTimeout(1500); // what the gateway and the chain say

}

async function serious(page) {
  await page.evaluate(readFileSync(AXE, 'utf8'));
  const { violations } = await page.evaluate(() => window.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }));
  return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 160)}`);
}

const wide = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

async function looksRight({ stack, open }, scheme) {
  mkdirSync(PICTURES, { recursive: true });
  const pages = await pagesOf(stack);
  const found = [];
  for (const width of WIDTHS) {
    await open({ width, scheme }, async ({ page, base }) => {
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(base + path);
        await settle(page);
        await page.screenshot({ path: join(PICTURES, `${name}-${width}-${scheme}.png`), fullPage: name !== 'chat' && name !== 'glossary' });
        if ((await wide(page)) > 1) found.push(`${name} at ${width}: wider than the window`);
        if (width !== 768) found.push(...(await serious(page)).map((text) => `${name} at ${width}: ${text}`));
      }
    });
  }
  if (found.length) throw new Error(found.join('\n  '));
}

export const look = {
  'look.light': (context) => looksRight(context, 'light'),
  'look.dark': (context) => looksRight(context, 'dark'),
};
