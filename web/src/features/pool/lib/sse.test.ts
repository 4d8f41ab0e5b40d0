import { expect, it } from "vitest";
import { EventSplitter } from "./sse";

it("gives each event once, whatever the cut", () => {
  const text = 'data: {"a":1}\n\n: comment\n\ndata: x\ndata: y\r\n\r\ndata:last\n\n';
  for (let size = 1; size <= text.length; size += 1) {
    const splitter = new EventSplitter();
    const events: string[] = [];
    for (let at = 0; at < text.length; at += size) events.push(...splitter.push(text.slice(at, at + size)));
    expect(events).toEqual(['{"a":1}', "x\ny", "last"]);
  }
});

it("refuses an event without end", () => {
  const splitter = new EventSplitter();
  expect(() => {
    for (let i = 0; i < 100; i += 1) splitter.push("x".repeat(64 * 1024));
  }).toThrow(/too long/);
});
