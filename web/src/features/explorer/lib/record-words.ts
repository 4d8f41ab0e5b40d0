// The Ledger's record of a query in words: 0 unknown, 1 open, 2 refunded, else the receipt's hash.

export interface RecordWords {
  readonly state: string;
  readonly tone: "neutral" | "ok" | "warn";
  readonly text: string;
}

export function recordWords(record: string): RecordWords {
  const value = BigInt(record);
  if (value === 0n)
    return {
      state: "not opened",
      tone: "neutral",
      text: "The contract holds no query of this id: it was paid from a tab, or never opened.",
    };
  if (value === 1n)
    return {
      state: "open",
      tone: "warn",
      text: "Money is set aside for it. After its deadline whoever paid gets it back.",
    };
  if (value === 2n)
    return { state: "refunded", tone: "neutral", text: "It was not answered in time; the money went back." };
  return {
    state: "settled",
    tone: "ok",
    text: "It was answered and paid; the contract keeps the receipt’s hash for ever.",
  };
}
