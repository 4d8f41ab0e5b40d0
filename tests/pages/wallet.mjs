// An injected wallet (EIP-6963) for the tests: unlocked accounts of the development chain, and faults that a test switches on.

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
      if (method === 'eth_requestAccounts') sessionStorage.setItem('test-wallet', 'connected');
      if (method === 'eth_accounts' || method === 'eth_requestAccounts') return sessionStorage.getItem('test-wallet') ? [account] : [];
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

/** A page with the test wallet connected. `number`: which of the chain's unlocked accounts; a tab is bound to the browser that opened it, so
 * each test that pays by tab has its own. */
export async function withWallet({ stack, open }, number, use) {
  const account = (await stack.rpc('eth_accounts'))[number];
  await open({ init: { script: faultyWallet, argument: { rpc: stack.up.rpc, account } } }, async (visitor) => {
    await visitor.goto('/');
    await visitor.button('Connect wallet').first().click();
    await visitor.button(/Test wallet/).click();
    await visitor.page.getByRole('dialog').waitFor({ state: 'hidden' });
    visitor.approves = false; // this wallet asks nobody
    await use(visitor, account);
  });
}

