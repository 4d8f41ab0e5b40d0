// @vitest-environment node
// Changed quotes are never accepted; junk is refused and nothing else happens.
import { describe, expect, test } from "vitest";
import { fromHex, fromUtf8, utf8 } from "./bytes";
import { parseCollateral, parseQeIdentity, parseTcbInfo } from "./collateral";
import { parseJson } from "./json";
import { parseQuote } from "./quote";
import { parseSgxExtension, sgxExtensionOid } from "./sgx-extension";
import { expectOnlyRefusals, TestRandom } from "./testing/random";
import { hasSharedData, loadShared } from "./testing/shared-folder";
import { intelRootSpkiHash } from "./trust-file";
import { verifyQuote } from "./verify-quote";
import { parseCertificate, parseCrl, parsePemChain } from "./x509";

const hasShared = hasSharedData();

interface Sample {
  quote: Uint8Array;
  collateral: Uint8Array;
  roots: string[];
  now: number;
}

async function realSample(): Promise<Sample> {
  return {
    quote: await loadShared("dcap/phala-dcap-qvl/tdx_quote"),
    collateral: await loadShared("dcap/phala-dcap-qvl/tdx_quote_collateral.json"),
    roots: [intelRootSpkiHash],
    now: Date.parse("2025-07-01T00:00:00Z") / 1000,
  };
}

async function syntheticSample(): Promise<Sample> {
  const cases: { id: string; now: string }[] = JSON.parse(fromUtf8(await loadShared("cases.json")));
  const now = cases.find((item) => item.id === "syn-ok-v5-td15")?.now ?? "";
  return {
    quote: await loadShared("synthetic/ok-v5-td15.quote.bin"),
    collateral: await loadShared("synthetic/ok-v5-td15.collateral.json"),
    roots: [parseCertificate(await loadShared("synthetic/dev-root.der")).spkiHash],
    now: Date.parse(now) / 1000,
  };
}

// One byte of each eight up to the PCK chain, which is the largest part, and a sample of the chain.
function offsets(quote: Uint8Array, random: TestRandom): number[] {
  const { size, pckChain } = parseQuote(quote);
  const chain = size - pckChain.length - 1;
  const head = Array.from({ length: Math.ceil(chain / 8) }, (_, i) =>
    Math.min(8 * i + random.below(8), chain - 1),
  );
  return [...head, ...Array.from({ length: 80 }, () => chain + random.below(pckChain.length - 1))];
}

describe.skipIf(!hasShared)("a quote of which one bit was changed", () => {
  test.each([
    ["real, version 4", realSample],
    ["synthetic, version 5", syntheticSample],
  ])(
    "is never accepted: %s",
    async (_, load) => {
      const { quote, collateral, roots, now } = await load();
      const json = parseJson(collateral, { maxBytes: 4 << 20 });
      expect((await verifyQuote(quote, json, roots, now)).ok).toBe(true);
      const random = new TestRandom(4);
      const accepted: number[] = [];
      for (const offset of offsets(quote, random)) {
        const changed = Uint8Array.from(quote);
        changed[offset] = (changed[offset] as number) ^ (1 << random.below(8));
        if ((await verifyQuote(changed, json, roots, now)).ok) accepted.push(offset);
      }
      expect(accepted).toEqual([]);
    },
    120_000,
  );

  test("nor is a prefix, nor another root, nor another time", async () => {
    const { quote, collateral, roots, now } = await realSample();
    const { size } = parseQuote(quote);
    for (let cut = 0; cut < size; cut += 97) {
      expect((await verifyQuote(quote.subarray(0, cut), collateral, roots, now)).ok).toBe(false);
    }
    expect(await verifyQuote(quote, collateral, [], now)).toMatchObject({ refusal: { check: "pck.root" } });
    for (const other of [now - 86400 * 400, now + 86400 * 60, Number.NaN]) {
      expect((await verifyQuote(quote, collateral, roots, other)).ok).toBe(false);
    }
  });
});

describe.skipIf(!hasShared)("parsers give refusals only, whatever the bytes", () => {
  test("quotes, certificates, CRLs, collateral and its documents", async () => {
    const { quote, collateral } = await realSample();
    const chain = parseQuote(quote).pckChain;
    const [leaf, ca] = parsePemChain(chain, 3);
    const container = JSON.parse(fromUtf8(collateral)) as Record<string, string>;
    const crls = [fromHex(container["root_ca_crl"] as string), fromHex(container["pck_crl"] as string)];
    const extension = leaf?.extensions.get(sgxExtensionOid) as Uint8Array;
    const text = (parse: (text: string) => unknown) => (bytes: Uint8Array) => parse(fromUtf8(bytes));
    expectOnlyRefusals(parseQuote, [quote]);
    expectOnlyRefusals(parseCertificate, [leaf?.der as Uint8Array, ca?.der as Uint8Array]);
    expectOnlyRefusals(parseCrl, crls);
    expectOnlyRefusals(parseSgxExtension, [extension]);
    expectOnlyRefusals(
      text((pem) => parsePemChain(pem, 3)),
      [utf8(chain)],
    );
    expectOnlyRefusals(parseCollateral, [collateral], 100);
    expectOnlyRefusals(text(parseTcbInfo), [utf8(container["tcb_info"] as string)]);
    expectOnlyRefusals(text(parseQeIdentity), [utf8(container["qe_identity"] as string)]);
  });
});
