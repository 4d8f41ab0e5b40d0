// The three layouts of the 64 bytes of REPORTDATA (docs/formats/evidence.md section 3). Pure
// functions.
#pragma once

#include <string_view>

#include "base/bytes.h"

namespace teetee::attest {

using ReportData = ByteArray<64>;

// Domain label of layout (b): 15 bytes of ASCII, no terminator.
inline constexpr std::string_view kChannelLabel = "teetee-ratls-v1";
// TLS exporter (RFC 8446 section 7.5) of layout (b): this label, context = role byte || the peer's
// nonce, 32 bytes.
inline constexpr std::string_view kExporterLabel = "EXPORTER-teetee-attest-v1";

// (a) certificate and client: SHA-256(claims) || 32 zero bytes. The interoperable RA-TLS form.
ReportData CertificateReportData(ByteView claims);

// The side that makes the evidence.
enum class ChannelRole : uint8_t { kClient = 0, kServer = 1 };

// What ties evidence to one channel, seen from the side that makes the evidence. The verifying side
// fills in the same values: `own` is then the peer's certificate and `peer` its own.
struct ChannelBinding {
  ChannelRole role;          // of the side that makes the evidence
  Hash32 own_spki_hash;      // SHA-256 of its SubjectPublicKeyInfo
  Hash32 peer_spki_hash;     // likewise of the side that verifies
  ByteArray<32> peer_nonce;  // sent by the side that verifies, fresh for this evidence
  ByteArray<32> exporter;    // TLS exporter for `role` and `peer_nonce`
};

// The exporter's context: role || peer_nonce, 33 bytes.
ByteArray<33> ExporterContext(ChannelRole role, const ByteArray<32>& peer_nonce);

// (b) channel: SHA-512(label || role || own || peer || nonce || exporter || SHA-256(claims)), 176
// bytes hashed.
ReportData ChannelReportData(const ChannelBinding& binding, ByteView claims);

// (c) join on chain: the caller's 32 bytes (Keccak-256, docs/formats) || 32 zero bytes.
ReportData JoinReportData(const Hash32& digest);

}  // namespace teetee::attest
