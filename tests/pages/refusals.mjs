// (d) Nothing is read on the way; a gateway that lies is caught by the page before anything is sent; and what the page says when no
// trust file is there.
import { randomBytes } from 'node:crypto';
import { lying } from './host.mjs';
import { ask, enter, receiptVerified } from './user.mjs';
import { withWallet } from './wallet.mjs';

/** The chat over a lying gateway: not verified, nothing sealed has left. */
async function caught({ stack, open }, path, change, names) {
  let sealed = 0;
  const count = (text, url) => (url.startsWith('/v1/teetee/sealed') ? (sealed++, text) : change(text));
  await lying(stack.up.gateway, new RegExp(`${path}|/v1/teetee/sealed`), count, (gateway) =>
    stack.web({ gateway }, (base) =>
      open({ base, origins: [gateway, new URL(stack.up.rpc).origin] }, async (visitor) => {
        await visitor.goto('/chat');
        await visitor.connect(/New user/);
        await visitor.unlock();
        const lock = visitor.page.getByTestId('route-lock');
        await lock.getByText('Not verified').waitFor({ timeout: 60_000 });
        await lock.click();
        await visitor.page.getByRole('dialog').getByText(names).first().waitFor();
        await visitor.page.keyboard.press('Escape');
        await visitor.page.getByRole('textbox', { name: 'Your question' }).fill('Is anybody there?');
        if (await visitor.button('Send').isEnabled()) {
          await visitor.page.keyboard.press('Enter');
          await visitor.page.waitForTimeout(3000);
        }
      }),
    ),
  );
  if (sealed) throw new Error(`${sealed} sealed requests went out over a route that is not verified`);
}

export const refusals = {
  // A capture of all that goes over loopback, and the state and logs of gateway and nodes. What went in clear on purpose is found in it.
  'sealed.nothing_in_the_clear': (context) =>
    withWallet(context, async (visitor) => {
      const { stack } = context;
      const prompt = `zebra${randomBytes(8).toString('hex')}`;
      const known = `known${randomBytes(8).toString('hex')}`;
      const found = await stack.capture(async () => {
        await fetch(`${stack.up.gateway}/v1/models?${known}`);
        await enter(visitor);
        await ask(visitor, `Write two sentences about the sea and this word: ${prompt}`);
        const lines = (await visitor.page.getByRole('article', { name: 'Answer' }).last().locator('> div').first().innerText()).split('\n');
        const answer = lines.reduce((a, b) => (b.length > a.length ? b : a)); // whatever Markdown made of it, this is one run of its words
        await receiptVerified(visitor, 0); // batches and proofs travel too
        return { prompt, answer, known };
      });
      const { gateway, head } = found.bytes;
      if (found.drops || !found.known || !gateway || !head || found.files < 5) throw new Error(`the capture misses something: ${JSON.stringify(found)}`);
      if (found.leaks.length) throw new Error(`in clear: ${found.leaks.join('; ')}`);
    }),

  // The evidence of each node is swapped for one whose last claimed bytes differ: keys no longer match the quote.
  'refused.swapped_key': (context) =>
    caught(context, '/evidence$', (text) => {
      const answer = JSON.parse(text);
      if (!answer.evidence) return text;
      const bytes = Buffer.from(answer.evidence, 'base64');
      const at = bytes.indexOf(Buffer.from('hpke-key'));
      bytes[at + 8 + 2 + 5] ^= 1;
      return JSON.stringify({ ...answer, evidence: bytes.toString('base64') });
    }, /report_data|REPORTDATA|bind/i),

  'refused.other_manifest': (context) =>
    caught(context, '/v1/teetee/models/', (text) => text.replace('\\"profile\\":1', '\\"profile\\":2'), /manifest/i),

  'refused.without_trust_file': ({ stack, open, origins }) =>
    open({ base: stack.up.gateway, origins }, async (visitor) => {
      await visitor.goto('/');
      await visitor.see(/No trust file/);
      await visitor.see(/Served by a gateway/);
    }),
};
