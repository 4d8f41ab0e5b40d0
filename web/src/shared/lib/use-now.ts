import { useEffect, useState } from "react";

const seconds = () => Math.floor(Date.now() / 1000);

// Unix seconds, renewed at the given pace: for countdowns.
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(seconds);
  useEffect(() => {
    const timer = setInterval(() => setNow(seconds()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
