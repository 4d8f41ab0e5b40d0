// The essentials of the OpenAI API with the official client, unmodified. One line of JSON per check: {"check","ok","reason"}.
// usage: BASE_URL=http://127.0.0.1:PORT/v1 MODEL=name node openai.mjs
import assert from 'node:assert/strict';
import OpenAI from 'openai';

const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: 'any', maxRetries: 0, timeout: 120_000 });
const model = process.env.MODEL;
const messages = [{ role: 'user', content: 'Tell me a short story about a fox.' }];
const ask = (more = {}) => client.chat.completions.create({ model, messages, max_tokens: 16, temperature: 0, ...more });
const textOf = (answer) => answer.choices[0].message.content;

async function gather(stream) {
  const out = { text: '', reasons: [], usages: [] };
  for await (const chunk of stream) {
    if (chunk.usage) out.usages.push(chunk.usage);
    for (const choice of chunk.choices) {
      out.text += choice.delta.content ?? '';
      if (choice.finish_reason) out.reasons.push(choice.finish_reason);
    }
  }
  return out;
}

const checks = {
  async models() {
    const ids = [];
    for await (const item of client.models.list()) ids.push(item.id);
    assert.ok(ids.includes(model), `${model} is not listed: ${ids}`);
  },
  async chat() {
    const answer = await ask();
    assert.equal(answer.object, 'chat.completion');
    assert.ok(textOf(answer));
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  },
  async stream() {
    const whole = textOf(await ask());
    const streamed = await gather(await ask({ stream: true }));
    assert.equal(streamed.text, whole);
    assert.deepEqual(streamed.reasons, ['length']);
  },
  async stream_usage() {
    const streamed = await gather(await ask({ stream: true, stream_options: { include_usage: true } }));
    assert.equal(streamed.usages.length, 1);
    assert.equal(streamed.usages[0].completion_tokens, 16);
  },
  async seed() {
    const [a, b, c] = [await ask({ temperature: 1, seed: 7 }), await ask({ temperature: 1, seed: 7 }), await ask({ temperature: 1, seed: 8 })].map(textOf);
    assert.equal(b, a);
    assert.notEqual(c, a);
  },
  async stop() {
    const whole = textOf(await ask({ max_tokens: 32 }));
    const stop = whole.split(/\s+/)[4];
    const answer = await ask({ max_tokens: 32, stop });
    assert.equal(textOf(answer), whole.slice(0, whole.indexOf(stop)));
    assert.equal(answer.choices[0].finish_reason, 'stop');
  },
  async max_tokens() {
    const answer = await ask({ max_tokens: 5 });
    assert.equal(answer.usage.completion_tokens, 5);
    assert.equal(answer.choices[0].finish_reason, 'length');
  },
  async logprobs() {
    const answer = await ask({ max_tokens: 4, logprobs: true, top_logprobs: 2 });
    const tokens = answer.choices[0].logprobs.content;
    assert.equal(tokens.map((t) => t.token).join(''), textOf(answer));
    assert.ok(tokens.every((t) => t.top_logprobs.length === 2 && t.top_logprobs[0].logprob === t.logprob));
  },
  async n() {
    const answer = await ask({ n: 2, temperature: 1, seed: 3 });
    assert.deepEqual(answer.choices.map((c) => c.index), [0, 1]);
    assert.notEqual(answer.choices[0].message.content, answer.choices[1].message.content);
  },
  async completions() {
    const answer = await client.completions.create({ model, prompt: 'The capital of France is', max_tokens: 8, temperature: 0 });
    assert.equal(answer.object, 'text_completion');
    assert.ok(answer.choices[0].text);
  },
  async unknown_model() {
    await assert.rejects(ask({ model: 'no-such-model' }), (error) => error instanceof OpenAI.NotFoundError && error.status === 404);
  },
  async oversized_prompt() {
    const content = 'one two three four five six seven eight '.repeat(3000);
    await assert.rejects(ask({ messages: [{ role: 'user', content }] }), (error) => error instanceof OpenAI.BadRequestError && /context/.test(error.message));
  },
  async wrong_type() {
    await assert.rejects(ask({ temperature: 'hot' }), (error) => error instanceof OpenAI.BadRequestError && error.param === 'temperature');
  },
};

let failed = 0;
for (const [name, run] of Object.entries(checks)) {
  try {
    await run();
    console.log(JSON.stringify({ check: name, ok: true }));
  } catch (error) {
    failed += 1;
    console.log(JSON.stringify({ check: name, ok: false, reason: String(error.message ?? error).slice(0, 400) }));
  }
}
process.exitCode = failed ? 1 : 0;
