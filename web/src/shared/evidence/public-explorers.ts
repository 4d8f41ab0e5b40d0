// Plain links to public pages about a quote. Nothing is sent: whoever clicks goes there. They add nothing to what this page verified.

export interface PublicLink {
  readonly title: string;
  readonly href: string;
  readonly text: string;
}

// sha256: of the quote's signed part and signature, 64 hex digits.
export function publicExplorers(sha256: string): PublicLink[] {
  if (!/^[0-9a-f]{64}$/.test(sha256)) return [];
  return [
    {
      title: "proof.t16z.com",
      href: `https://proof.t16z.com/reports/${sha256}`,
      text: "shows the quote if somebody published it there",
    },
    {
      title: "Phala attestation API",
      href: `https://cloud-api.phala.network/api/v1/attestations/view/${sha256}`,
      text: "the same record, as data",
    },
  ];
}
