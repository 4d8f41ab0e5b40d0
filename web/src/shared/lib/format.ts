// Numbers, times and hashes in words.
import { groups } from "./amount.ts";

export function shortHash(value: string, lead = 6, tail = 4): string {
  return value.length <= lead + tail + 3 ? value : `${value.slice(0, lead)}…${value.slice(-tail)}`;
}

// 135_000_000 -> "135 M"
export function formatCount(value: number): string {
  if (value >= 1e9) return `${trim(value / 1e9)} B`;
  if (value >= 1e6) return `${trim(value / 1e6)} M`;
  return groups(Math.round(value));
}

// Bytes in binary units, which memory is sold in.
export function formatBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${trim(value)} ${units[unit]}`;
}

export function formatMs(ms: number): string {
  return ms >= 1000 ? `${trim(ms / 1000)} s` : `${Math.round(ms)} ms`;
}

// 3_725 -> "1 h 2 min"
export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

export function formatTime(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

// 0.4267 -> "42.7 %"
export function formatShare(part: number): string {
  return `${trim(part * 100)} %`;
}

function trim(value: number): string {
  return value >= 100 ? Math.round(value).toString() : value.toFixed(1).replace(/\.0$/, "");
}
