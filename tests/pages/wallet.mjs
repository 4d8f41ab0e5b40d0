// An injected wallet (EIP-6963) for the tests, with faults that a test switches on.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from './stack.mjs';

const require = createRequire(join(ROOT, 'web/package.json'));
const viem = require('viem');
const viemAccounts = require('viem/accounts');

function faultyWallet({ account }) {
  const state = (window.testWallet = { refuse: false, gas: undefined, chain: '0x7a69', asked: [] });
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
      const sent = method === 'eth_sendTransaction' && state.gas ? [{ ...params[0], gas: state.gas }] : params;
      const { result, error } = JSON.parse(await window.testWalletAnswer(method, JSON.stringify(sent)));
      if (error) throw Object.assign(new Error(error.message), { code: error.code, data: error.data });
      return result;
    },
  };
  const info = { uuid: '7d4f1c52-8f0e-4f6c-9a57-0f6f0c7f0001', name: 'Test wallet', icon: 'data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg"/>', rdns: 'org.example.test' };
  const announce = () => window.dispatchEvent(new CustomEvent('eip6963:announceProvider', { detail: Object.freeze({ info, provider }) }));
  window.addEventListener('eip6963:requestProvider', announce);
  announce();
}

const number = (hex) => (hex === undefined ? undefined : BigInt(hex));

// The wallet's other half, outside of the page: a key made for this test, with demo money.
export async function newAccount(stack) {
  const account = viemAccounts.privateKeyToAccount(viemAccounts.generatePrivateKey());
  await stack.rpc('anvil_setBalance', [account.address, viem.toHex(10n ** 19n)]);
  const transport = viem.http(stack.up.rpc);
  const chain = viem.defineChain({ id: 31337, name: 'development', nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 }, rpcUrls: { default: { http: [stack.up.rpc] } } });
  const client = viem.createWalletClient({ account, chain, transport });
  const methods = {
    personal_sign: ([raw]) => account.signMessage({ message: { raw } }),
    eth_signTypedData_v4: ([, text]) => account.signTypedData(JSON.parse(text)),
    eth_sendTransaction: ([{ to, data, value, gas }]) => client.sendTransaction({ to, data, value: number(value), gas: number(gas) }),
  };
  const answer = async (method, text) => {
    const params = JSON.parse(text);
    const asked = methods[method] ? methods[method](params) : stack.rpc(method, params);
    return asked.then((result) => JSON.stringify({ result }), (error) => JSON.stringify({ error: { message: error.shortMessage ?? error.message, code: -32603 } }));
  };
  return { address: account.address, answer };
}

const LEDGER = viem.parseAbi([
  'function balanceOf(address owner) view returns (uint256)',
  'function lineOf(bytes32 model, address head) view returns (bytes32)',
  'function tab(address user, bytes32 line) view returns (uint128 funded, uint128 spent, address signer, uint32 epoch, uint48 closeAt)',
]);

/** What the contract says, asked of the chain directly. */
export function readLedger(stack, functionName, args) {
  const client = viem.createPublicClient({ transport: viem.http(stack.up.rpc) });
  return client.readContract({ address: stack.up.contracts.ledger, abi: LEDGER, functionName, args });
}

/** A page in a fresh browser with the test wallet connected; each has an account of its own unless told. */
export async function withWallet({ stack, open }, use, account) {
  const { address, answer } = account ?? (await newAccount(stack));
  const init = { script: faultyWallet, argument: { account: address }, expose: { testWalletAnswer: answer } };
  await open({ init }, async (visitor) => {
    await visitor.goto('/');
    await visitor.button('Connect wallet').first().click();
    await visitor.button(/Test wallet/).click();
    await visitor.page.getByRole('dialog').waitFor({ state: 'hidden' });
    visitor.approves = false; // this wallet asks nobody
    await use(visitor, address);
  });
}
