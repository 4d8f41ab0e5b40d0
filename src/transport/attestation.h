// The proofs that cross a channel: what the certificate must carry, how evidence of layout (b) is
// made and judged, and the signature of the signing key over the TLS exporter.
// docs/formats/channel.md sections 2 and 4. Internal to transport.
#pragma once

#include <optional>

#include "attest/verify/peer.h"
#include "crypto/x509.h"
#include "transport/frame.h"
#include "transport/identity.h"
#include "transport/tls.h"

namespace teetee::transport {

// What the caller demands beyond the trust file. Empty fields demand nothing.
struct ExpectedPeer {
  std::optional<crypto::Address> key;  // signing address
  std::optional<uint32_t> slot;
  std::optional<Hash32> model;
  std::optional<crypto::Address> host;
};

// Inside the handshake, before any vendor signature can be checked (collateral comes with ATTEST):
// self-signed, in date, not my own key, and evidence of layout (a) for this very key.
Status CheckCertificate(const crypto::Certificate& peer, const Hash32& own_spki_hash, int64_t now);

// SHA-256("teetee-channel-key-v1" || role || exporter || SHA-256(claims)): what the signing key
// signs. The exporter covers the role and the peer's nonce.
Hash32 ChannelKeyDigest(attest::ChannelRole role, const ByteArray<32>& exporter, ByteView claims);

// Blocks for one quote. `binding` as the maker sees it.
Result<AttestMessage> MakeAttest(const attest::ChannelBinding& binding,
                                 const attest::Claims& claims, const crypto::SigningKey& key,
                                 attest::EvidenceProvider& provider);

// `binding` as attest/format/report_data.h says for the verifying side. Signature included.
Result<attest::VerifiedPeer> VerifyAttest(const AttestMessage& message,
                                          const attest::ChannelBinding& binding,
                                          const attest::TrustFile& trust, int64_t now);

// check channel.expected.
Status CheckExpected(const attest::Claims& claims, const ExpectedPeer& expected);
// check channel.identity: the same node in the same boot (only block and HPKE key may change).
Status CheckSameNode(const attest::Claims& before, const attest::Claims& now);

}  // namespace teetee::transport
