// Whether an RPC answers, and for the right chain.
import * as v from "valibot";
import type { Problem } from "@/shared/ui/states.tsx";

const schema = v.object({ result: v.pipe(v.string(), v.regex(/^0x[0-9a-f]+$/i)) });

export type RpcCheck = { readonly ok: true } | { readonly ok: false; readonly problem: Problem };

export function readChainId(json: unknown): number | null {
  const found = v.safeParse(schema, json);
  return found.success ? Number(found.output.result) : null;
}

export async function checkRpc(url: string, wantedChain: number): Promise<RpcCheck> {
  const problem = (message: string, next: string, cause?: string): RpcCheck => ({ ok: false, problem: { message, next, cause } });
  if (!/^https?:\/\/[^\s]+$/.test(url)) return problem("This is no address of an RPC", "It starts with http:// or https://.");
  let answer: unknown;
  try {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] });
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body, credentials: "omit" });
    answer = await response.json();
  } catch {
    return problem(
      "The RPC does not answer",
      "Check the address. If it is right, this page's policy may not allow it: start the page with `teetee web --rpc URL`.",
      "A page may only speak to the addresses that its own server names.",
    );
  }
  const chain = readChainId(answer);
  if (chain === null) return problem("This does not answer like an RPC", "Check the address.");
  if (chain !== wantedChain) return problem(`This RPC is for chain ${chain}`, `The page needs chain ${wantedChain}.`);
  return { ok: true };
}
