// The committed vectors and document are what make_vectors.mjs writes, and cover every function of the contracts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { decodeAbiParameters, decodeEventLog, recoverAddress, toEventSelector, toFunctionSelector, toHex } from 'viem';
import { loadArtifact } from '../tools/deploy.mjs';
import { expectedFiles } from '../tools/make_vectors.mjs';

const VECTORS = JSON.parse(readFileSync(new URL('./vectors/typed-data.json', import.meta.url), 'utf8'));

test('the committed files are current', async () => {
  for (const [file, text] of await expectedFiles()) {
    assert.ok(readFileSync(file, 'utf8') === text, `${file}: run node tools/make_vectors.mjs`);
  }
});

test('signatures recover to their signers', async () => {
  for (const { digest, r, vs, signer } of Object.values(VECTORS.typed).flat()) {
    const s = toHex(BigInt(vs) & ((1n << 255n) - 1n), { size: 32 });
    const yParity = Number(BigInt(vs) >> 255n);
    assert.equal(await recoverAddress({ hash: digest, signature: { r, s, yParity } }), signer);
  }
});

const abiOf = (kind) =>
  ['Registry', 'Ledger', 'AllowlistVerifier'].flatMap((name) =>
    loadArtifact(name).abi.filter((item) => item.type === kind).map((item) => ({ ...item, contract: name })),
  );

const withoutArguments = new Set(['CLOSE_DELAY', 'GRACE', 'eip712Domain', 'registry']);
const foreign = new Set(['EIP712DomainChanged', 'InvalidShortString', 'StringTooLong']); // OpenZeppelin's, never used

test('calls of every function, and their answers', () => {
  for (const item of abiOf('function')) {
    if (item.contract === 'AllowlistVerifier' || withoutArguments.has(item.name)) continue;
    const calls = VECTORS.calls.filter((call) => call.data.startsWith(toFunctionSelector(item)));
    assert.equal(calls.length, 2, item.name);
    for (const { answer, returns } of calls) {
      if (item.outputs.length === 0) continue;
      const decoded = decodeAbiParameters(item.outputs, answer);
      assert.deepEqual(decoded.map(String), Object.values(returns).map(String), item.name);
    }
  }
});

test('events of every kind', () => {
  for (const item of abiOf('event').filter(({ name }) => !foreign.has(name))) {
    const events = VECTORS.events.filter((event) => event.topics[0] === toEventSelector(item));
    assert.equal(events.length, 2, item.name);
    for (const { topics, data } of events) {
      const { args } = decodeEventLog({ abi: [item], topics, data });
      assert.equal(Object.keys(args).length, item.inputs.length, item.name);
    }
  }
});

test('errors of every kind', () => {
  const selectors = new Set(VECTORS.errors.map(({ selector }) => selector));
  for (const item of abiOf('error').filter(({ name }) => !foreign.has(name))) {
    assert.ok(selectors.has(toFunctionSelector(item)), item.name);
  }
});
