// The committed vectors and document are what make_vectors.mjs writes, and cover every function of the contracts.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { recoverAddress, toFunctionSelector, toHex } from 'viem';
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

test('there are calls of every function', () => {
  const known = new Set(VECTORS.calls.map((call) => call.data.slice(0, 10)));
  const skipped = new Set(['CLOSE_DELAY', 'GRACE', 'eip712Domain', 'registry']); // no arguments
  for (const name of ['Registry', 'Ledger']) {
    for (const item of loadArtifact(name).abi.filter((i) => i.type === 'function' && !skipped.has(i.name))) {
      assert.ok(known.has(toFunctionSelector(item)), `${name}.${item.name}`);
    }
  }
});
