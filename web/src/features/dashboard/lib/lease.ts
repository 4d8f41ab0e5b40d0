// Time left of a lease, in words.

export function timeLeft(seconds: number): string {
  if (seconds <= 0) return "over";
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${Math.floor(seconds % 60)} s` : `${Math.floor(seconds)} s`;
}

// 0..1 of the lease that is left; null when its length is not known.
export function shareLeft(until: number, lease: number, now: number): number | null {
  if (lease <= 0) return null;
  return Math.max(0, Math.min(1, (until - now) / lease));
}
