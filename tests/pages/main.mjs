// node tests/pages/main.mjs [FILTER | --core | --list]: the pages in a real browser against the running system. See README.md.
import { launch, visit } from './browser.mjs';
import { Stack } from './stack.mjs';
import { host } from './host.mjs';
import { look } from './look.mjs';
import { refusals } from './refusals.mjs';
import { trouble } from './trouble.mjs';
import { user } from './user.mjs';

const LIMIT_MS = 300_000;
// What every run of ./dev test holds: somebody buys and asks, a host joins and earns, a lie is caught.
const CORE = ['user.buys_and_asks_by_tab', 'host.joins_serves_earns_withdraws', 'refused.swapped_key'];
const TESTS = Object.entries({ ...user, ...host, ...refusals, ...trouble, ...look });

async function runOne([name, test], stack, browser) {
  const began = Date.now();
  let timer;
  const late = new Promise((_, fail) => (timer = setTimeout(() => fail(new Error(`longer than ${LIMIT_MS / 1000} s`)), LIMIT_MS)));
  const origins = [new URL(stack.up.gateway).origin, new URL(stack.up.rpc).origin];
  const open = (options, use) => visit(browser, { base: stack.up.web, origins, ...options }, use);
  let problem;
  try {
    await Promise.race([test({ stack, browser, open, origins }), late]);
  } catch (error) {
    problem = error;
  } finally {
    clearTimeout(timer);
  }
  console.log(`${problem ? 'FAIL' : 'ok'} ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)${problem ? `\n  ${String(problem.stack ?? problem).slice(0, 1500)}` : ''}`);
  return !problem;
}

async function main() {
  const filter = process.argv[2] ?? '';
  if (filter === '--list') return void TESTS.forEach(([name]) => console.log(name));
  const chosen = TESTS.filter(([name]) => (filter === '--core' ? CORE.includes(name) : 'pages'.includes(filter) || name.includes(filter)));
  const stack = new Stack();
  const counts = [0, 0];
  let browser;
  try {
    await stack.begin();
    browser = await launch();
    for (const item of chosen) counts[(await runOne(item, stack, browser)) ? 0 : 1]++;
  } catch (error) {
    console.log(`FAIL pages\n  ${error.message}`);
    counts[1]++;
  } finally {
    await browser?.close();
    stack.end();
  }
  console.log(`${counts[0]} passed, ${counts[1]} failed, 0 skipped`);
  process.exitCode = counts[0] > 0 && counts[1] === 0 ? 0 : 1;
}

await main();
