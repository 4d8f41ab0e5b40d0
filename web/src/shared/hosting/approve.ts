// The auditor of an allow-list model, through the gateway: it verifies the evidence with its own trust file and signs, or refuses with the
// name of the check. The Registry believes this signature; that is the trust which such a model asks for.
import * as v from "valibot";
import { askGateway } from "@/shared/gateway/ask-gateway.ts";
import { address, count, hash } from "@/shared/gateway/forms.ts";
import type { Approval } from "./join.ts";

const schema = v.object({
  reportData: hash,
  expires: count,
  auditor: v.optional(address),
  quote: v.pipe(
    v.string(),
    v.regex(/^0x(?:[0-9a-f]{2})+$/),
    v.transform((text) => text as `0x${string}`),
  ),
});

export function approve(gateway: string, joinEvidence: unknown): Promise<Approval> {
  return askGateway(gateway, "/v1/teetee/pool/approve", schema, { method: "POST", body: joinEvidence });
}
