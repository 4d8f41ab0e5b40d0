import { expect, test } from "vitest";
import { afterReload, before, type Conversation, DEFAULT_PARAMETERS, findReply, lastReply, newConversation, newReply, titleOf, updateReply, withQuestion } from "./conversation.ts";

const asked = (): Conversation => {
  const empty = newConversation("c", "tiny", DEFAULT_PARAMETERS, 1);
  return withQuestion(empty, { id: "q1", role: "user", text: "Hello there\nmore", at: 2 }, newReply("r1", "tiny", "tab", 2));
};

test("the first question names the conversation, later ones do not", () => {
  const once = asked();
  expect(once.title).toBe("Hello there");
  expect(withQuestion(once, { id: "q2", role: "user", text: "Other", at: 3 }, newReply("r2", "tiny", "tab", 3)).title).toBe("Hello there");
  expect(titleOf("x".repeat(100))).toHaveLength(48);
});

test("a reply is changed alone, and found", () => {
  const changed = updateReply(asked(), "r1", (reply) => ({ ...reply, text: "hi" }));
  expect(findReply(changed, "r1")?.text).toBe("hi");
  expect(findReply(changed, "q1")).toBeUndefined();
  expect(lastReply(changed)?.id).toBe("r1");
});

test("cutting before a message drops it and what follows", () => {
  expect(before(asked(), "r1").messages.map((message) => message.id)).toEqual(["q1"]);
  expect(before(asked(), "q1").messages).toEqual([]);
  expect(before(asked(), "unknown").messages).toHaveLength(2);
});

test("after a reload what was running can be fetched, or was never sent", () => {
  expect(lastReply(afterReload(asked(), () => true))?.state).toBe("interrupted");
  const lost = lastReply(afterReload(asked(), () => false));
  expect(lost?.state).toBe("failed");
  expect(lost?.problem?.cause).toBe("Nothing was charged for it.");
});
