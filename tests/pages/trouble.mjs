// (e) What goes wrong in practice: each leaves a clear state and no lost money.
import { askByTab, ready } from './user.mjs';

// A wallet for these tests alone: the chain's own unlocked accounts, with faults that a test switches on.
function faultyWallet({ rpc, account }) {
  const state = (window.testWallet = { refuse: false, chain: '0x7a69', asked: [] });
  const call = async (method, params) => {
    const answer = await fetch(rpc, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }) });
    const { result, error } = await answer.json();
    if (error) throw Object.assign(new Error(error.message), { code: error.code, data: error.data });
    return result;
  };
  const listeners = {};
  const provider = {
    on: (event, f) => (listeners[event] ??= new Set()).add(f),
    removeListener: (event, f) => listeners[event]?.delete(f),
    async request({ method, params = [] }) {
      state.asked.push(method);
      if (method === 'eth_chainId') return state.chain;
      if (method === 'eth_accounts' || method === 'eth_requestAccounts') return [account];
      if (method === 'wallet_switchEthereumChain') {
        state.chain = params[0].chainId;
        for (const f of listeners.chainChanged ?? []) f(state.chain);
        return null;
      }
      const signs = /^(eth_sendTransaction|personal_sign|eth_signTypedData_v4)$/.test(method);
      if (signs && state.refuse) throw Object.assign(new Error('User rejected the request.'), { code: 4001 });
      return call(method, params);
    },
  };
  const info = { uuid: '7d4f1c52-8f0e-4f6c-9a57-0f6f0c7f0001', name: 'Test wallet', icon: 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"/>', rdns: 'org.example.test' };
  const announce = () => window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail: Object.freeze({ info, provider }) }));
  window.addEventListener('eip6963:requestProvider', announce);
  announce();
}

const ACCOUNTS = 4; // of anvil's unlocked accounts, the later ones

async function withWallet({ stack, open }, number, use) {
  const account = (await stack.rpc('eth_accounts'))[ACCOUNTS + number];
  await open({ init: { script: faultyWallet, argument: { rpc: stack.up.rpc, account } } }, async (visitor) => {
    await visitor.goto('/');
    await visitor.button('Connect wallet').first().click();
    await visitor.button(/Test wallet/).click();
    await visitor.page.getByRole('dialog').waitFor({ state: 'hidden' });
    await use(visitor, account);
  });
}

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
    withWallet(context, 0, async (visitor) => {
      await openBuy(visitor);
      await set(visitor, { refuse: true });
      await buy(visitor, '0.01');
      await visitor.see(/refused|rejected|declined/i);
      await set(visitor, { refuse: false });
      await buy(visitor, '0.01');
      await visitor.see('The credits are yours.');
    }),

  'trouble.wrong_chain': (context) =>
    withWallet(context, 1, async (visitor) => {
      await openBuy(visitor);
      await set(visitor, { chain: '0x1' });
      await buy(visitor, '0.01');
      await visitor.button('Switch the wallet').click();
      await buy(visitor, '0.01');
      await visitor.see('The credits are yours.');
    }),

  'trouble.insufficient_funds': (context) =>
    withWallet(context, 2, async (visitor) => {
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
        await visitor.verified();
        await visitor.send('Is the chain there?');
        await visitor.see(/chain|RPC/i);
        await visitor.button('Answer again').waitFor({ timeout: 120_000 });
      }),
    ),

  // Reloaded in the middle of an answer: it is kept by the machines, and fetched again from the stored ciphertext.
  'trouble.reload_in_the_middle': ({ open }) =>
    open({}, async (visitor) => {
      await ready(visitor);
      await askByTab(visitor, 'Say hello.');
      await visitor.send('Write a long story about a lighthouse and the sea.');
      await visitor.page.locator('article[aria-busy=true]').waitFor();
      await visitor.page.waitForFunction(() => (document.querySelector('article[aria-busy=true]')?.textContent ?? '').length > 40, undefined, { timeout: 60_000 });
      await visitor.page.reload();
      await visitor.unlock();
      await visitor.button('Fetch the answer').click({ timeout: 60_000 });
      await visitor.badge(1).getByText('Receipt verified').waitFor({ timeout: 180_000 });
    }),

  'trouble.stopped_by_the_person': ({ open }) =>
    open({}, async (visitor) => {
      await ready(visitor);
      await askByTab(visitor, 'Say hello.');
      await visitor.send('Write a very long story about a lighthouse and the sea.');
      await visitor.page.waitForFunction(() => (document.querySelector('article[aria-busy=true]')?.textContent ?? '').length > 40, undefined, { timeout: 60_000 });
      await visitor.button('Stop').click();
      await visitor.see(/Stopped/);
    }),
};
