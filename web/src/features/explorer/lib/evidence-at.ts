// Which of a node's kept pieces of evidence was in force at a time: the newest that is not younger; without a time, the newest.

export function evidenceAt<T extends { readonly at: number }>(
  kept: readonly T[],
  at: number | null,
): T | null {
  const newestFirst = kept.toSorted((a, b) => b.at - a.at);
  const fitting = at === null ? newestFirst[0] : newestFirst.find((entry) => entry.at <= at);
  return fitting ?? newestFirst.at(-1) ?? null;
}
