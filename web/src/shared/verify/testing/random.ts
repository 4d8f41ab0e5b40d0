// Reproducible random bytes for tests that throw junk at parsers.
import { expect } from "vitest";
import { Malformed, Refused } from "../refusal";

export class TestRandom {
  private state: number;

  constructor(seed: number) {
    this.state = seed;
  }

  /** An integer of [0, below). mulberry32. */
  below(below: number): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  }
  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.below(256));
  }
  /** A few bytes changed, cut out or put in. */
  damage(bytes: Uint8Array): Uint8Array {
    const out = [...bytes];
    for (let n = 1 + this.below(4); n > 0; n--) {
      const at = this.below(out.length + 1);
      const kind = this.below(4);
      if (kind === 0) out.splice(at, 1 + this.below(8));
      else if (kind === 1) out.splice(at, 0, ...this.bytes(1 + this.below(8)));
      else if (kind === 2) out.splice(at);
      else if (at < out.length) out[at] = this.below(256);
    }
    return Uint8Array.from(out);
  }
}

/** Junk and damaged samples: the parser returns or throws its own two errors, and nothing else. */
export function expectOnlyRefusals(
  parse: (bytes: Uint8Array) => unknown,
  samples: readonly Uint8Array[],
  rounds = 400,
): void {
  const random = new TestRandom(20261126);
  let refused = 0;
  for (let i = 0; i < rounds; i++) {
    const sample = samples[i % Math.max(samples.length, 1)];
    const bytes =
      sample === undefined || i % 4 === 0 ? random.bytes(random.below(300)) : random.damage(sample);
    try {
      parse(bytes);
    } catch (error) {
      refused++;
      if (!(error instanceof Malformed) && !(error instanceof Refused)) throw error;
    }
  }
  expect(refused).toBeGreaterThan(rounds / 5);
}
