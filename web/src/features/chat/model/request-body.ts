// A conversation as the OpenAI request that is sealed: docs/formats/http-api.md. What failed is left out, with its question.
import type { Conversation, Message, Parameters } from "./conversation.ts";

interface Turn {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

// Questions that were answered, their answers, and the last question.
export function turnsOf(messages: readonly Message[], system: string): Turn[] {
  const turns: Turn[] = system.trim() === "" ? [] : [{ role: "system", content: system }];
  messages.forEach((message, i) => {
    if (message.role !== "user") return;
    const reply = messages[i + 1];
    if (reply === undefined) {
      turns.push({ role: "user", content: message.text });
    } else if (reply.role === "assistant" && reply.text !== "" && (reply.state === "done" || reply.state === "stopped")) {
      turns.push({ role: "user", content: message.text }, { role: "assistant", content: reply.text });
    }
  });
  return turns;
}

export function seedOf(parameters: Parameters, random: () => number): number {
  return /^\d{1,9}$/.test(parameters.seed) ? Number(parameters.seed) : random();
}

// `asked`: the messages up to and with the question.
export function requestBody(conversation: Conversation, asked: readonly Message[], seed: number): string {
  const { parameters, model } = conversation;
  return JSON.stringify({
    model,
    messages: turnsOf(asked, parameters.system),
    temperature: parameters.temperature,
    top_p: parameters.topP,
    max_tokens: parameters.maxTokens,
    seed,
    stream: true,
    stream_options: { include_usage: true },
  });
}
