#include "attest/format/report_data.h"

#include "crypto/hash.h"

namespace teetee::attest {
namespace {

ReportData Padded(const Hash32& digest) {
  ReportData out{};
  std::memcpy(out.data(), digest.data(), digest.size());
  return out;
}

}  // namespace

ReportData CertificateReportData(ByteView claims) { return Padded(crypto::Sha256(claims)); }

ReportData JoinReportData(const Hash32& digest) { return Padded(digest); }

ByteArray<33> ExporterContext(ChannelRole role, const ByteArray<32>& peer_nonce) {
  ByteArray<33> out;
  out[0] = static_cast<uint8_t>(role);
  std::memcpy(out.data() + 1, peer_nonce.data(), peer_nonce.size());
  return out;
}

ReportData ChannelReportData(const ChannelBinding& binding, ByteView claims) {
  ByteWriter w;
  w.Raw(kChannelLabel).U8(static_cast<uint8_t>(binding.role));
  w.Raw(binding.own_spki_hash).Raw(binding.peer_spki_hash);
  w.Raw(binding.peer_nonce).Raw(binding.exporter).Raw(crypto::Sha256(claims));
  return crypto::Sha512(w.bytes());
}

}  // namespace teetee::attest
