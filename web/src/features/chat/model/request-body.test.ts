import { expect, test } from "vitest";
import { type Conversation, DEFAULT_PARAMETERS, type Message, newConversation, newReply } from "./conversation.ts";
import { requestBody, seedOf, turnsOf } from "./request-body.ts";

const question = (id: string, text: string): Message => ({ id, role: "user", text, at: 0 });
const answer = (id: string, text: string, state: "done" | "failed" | "stopped"): Message => ({ ...newReply(id, "tiny", "tab", 0), text, state });

test("sends what was answered and the last question, never what failed", () => {
  const messages = [question("1", "a"), answer("2", "A", "done"), question("3", "b"), answer("4", "", "failed"), question("5", "c"), answer("6", "C", "stopped"), question("7", "d")];
  expect(turnsOf(messages, "")).toEqual([
    { role: "user", content: "a" },
    { role: "assistant", content: "A" },
    { role: "user", content: "c" },
    { role: "assistant", content: "C" },
    { role: "user", content: "d" },
  ]);
});

test("a system message stands first, an empty one is not sent", () => {
  expect(turnsOf([question("1", "a")], "Be brief.")[0]).toEqual({ role: "system", content: "Be brief." });
  expect(turnsOf([question("1", "a")], "  ")).toHaveLength(1);
});

test("the body names model and parameters and asks for a stream", () => {
  const conversation: Conversation = { ...newConversation("c", "tiny", { ...DEFAULT_PARAMETERS, temperature: 0, maxTokens: 64 }, 0), messages: [] };
  expect(JSON.parse(requestBody(conversation, [question("1", "a")], 7))).toEqual({
    model: "tiny",
    messages: [{ role: "user", content: "a" }],
    temperature: 0,
    top_p: 0.95,
    max_tokens: 64,
    seed: 7,
    stream: true,
    stream_options: { include_usage: true },
  });
});

test("a chosen seed is used, anything else is random", () => {
  expect(seedOf({ ...DEFAULT_PARAMETERS, seed: "42" }, () => 1)).toBe(42);
  expect(seedOf({ ...DEFAULT_PARAMETERS, seed: "" }, () => 1)).toBe(1);
  expect(seedOf({ ...DEFAULT_PARAMETERS, seed: "-3" }, () => 1)).toBe(1);
});
