// Amounts of wei in words. Exact: nothing goes through a floating-point number.
const WEI_PER_ETH = 10n ** 18n;

// 1234500000000000000n -> "1.2345"; at most `digits` decimals, rounded down; never "0" for what is not zero: "<0.000001".
export function formatEth(wei: bigint, digits = 6): string {
  const sign = wei < 0n ? "-" : "";
  const value = wei < 0n ? -wei : wei;
  const whole = value / WEI_PER_ETH;
  const unit = 10n ** BigInt(18 - digits);
  const part = (value % WEI_PER_ETH) / unit;
  if (whole === 0n && part === 0n && value > 0n) return `${sign}<${`0.${"0".repeat(digits - 1)}1`}`;
  const decimals = part.toString().padStart(digits, "0").replace(/0+$/, "");
  return `${sign}${groups(whole)}${decimals ? `.${decimals}` : ""}`;
}

export function groups(value: bigint | number): string {
  return value.toString().replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

// "0.05" -> wei; null when it is not a positive decimal number with at most 18 decimals.
export function parseEth(text: string): bigint | null {
  const found = /^(\d{1,12})(?:\.(\d{1,18}))?$/.exec(text.trim().replace(",", "."));
  if (!found) return null;
  return BigInt(found[1] ?? "0") * WEI_PER_ETH + BigInt((found[2] ?? "").padEnd(18, "0"));
}

// How many tokens a sum buys at a price in wei a token; null when the price is zero.
export function tokensFor(wei: bigint, weiPerToken: bigint): bigint | null {
  return weiPerToken > 0n ? wei / weiPerToken : null;
}

// A price per token as ETH per million tokens, the unit in which the pages compare prices.
export function ethPerMillion(weiPerToken: bigint): string {
  return formatEth(weiPerToken * 1_000_000n, 6);
}
