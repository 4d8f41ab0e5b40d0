// What this page has checked, in plain words, in order: for the screen, for downloads, and the error that names the first
// check that failed. The same ids and words as `teetee verify` prints.
import { ClientError } from "./client-error";

export interface CheckResult {
  readonly id: string;
  readonly passed: boolean;
  /** what was checked, or what was found */
  readonly text: string;
  /** of which slot, where it is about a node */
  readonly slot?: number;
}

export class CheckList {
  private readonly results: CheckResult[] = [];

  add(id: string, passed: boolean, text: string, slot?: number): boolean {
    this.results.push({ id, passed, text, ...(slot === undefined ? {} : { slot }) });
    return passed;
  }

  append(other: CheckList): void {
    this.results.push(...other.results);
  }

  get all(): readonly CheckResult[] {
    return this.results;
  }

  /** There is at least one, and none failed. */
  get passed(): boolean {
    return this.results.length > 0 && this.failure === undefined;
  }

  get failure(): CheckResult | undefined {
    return this.results.find((check) => !check.passed);
  }

  /** Throws the first failure. */
  expectPassed(): void {
    const { failure } = this;
    if (failure !== undefined) {
      throw new ClientError("refused", `check ${failure.id}: ${failure.text}`, { check: failure.id });
    }
    if (this.results.length === 0) throw new ClientError("refused", "nothing was checked");
  }

  /** A line each, "ok" or "FAILED" first. */
  toText(): string {
    return this.results
      .map((check) => `  ${check.passed ? "ok    " : "FAILED"}  ${check.id}: ${check.text}\n`)
      .join("");
  }
}
