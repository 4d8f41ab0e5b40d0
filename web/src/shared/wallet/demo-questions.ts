// What the demo wallet asks; it asks from outside of React, so its questions wait here in line.
import type { DemoQuestion } from "../chain/demo-wallet.ts";

const waiting: DemoQuestion[] = [];
let changed: () => void = () => {};

export function askDemoWallet(question: DemoQuestion): void {
  waiting.push(question);
  changed();
}

export function firstDemoQuestion(): DemoQuestion | null {
  return waiting[0] ?? null;
}

export function endDemoQuestion(): void {
  waiting.shift();
  changed();
}

// Calls `then` now and whenever the first question changes; answers how to stop.
export function onDemoQuestion(then: () => void): () => void {
  changed = then;
  then();
  return () => {
    changed = () => {};
  };
}
