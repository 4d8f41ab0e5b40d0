// Intel DCAP quotes: TDX versions 4 and 5, SGX version 3. Bytes to fields with strict lengths, no
// trust. Layout: docs/formats/evidence.md section 4.1 (Intel's "TDX DCAP Quoting Library API",
// appendix 3).
#pragma once

#include <optional>
#include <string>

#include "attest/format/report_data.h"
#include "base/bytes.h"
#include "crypto/p256.h"

namespace teetee::attest {

enum class TeeType : uint32_t { kSgx = 0x00, kTdx = 0x81 };

inline constexpr size_t kQuoteHeaderSize = 48;
inline constexpr size_t kEnclaveReportSize = 384;
inline constexpr size_t kTdReport10Size = 584;
inline constexpr size_t kTdReport15Size = 648;
inline constexpr ByteArray<16> kIntelQeVendor = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                                 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

// Report of an SGX enclave: the body of a version 3 quote, and the quoting enclave's own report in
// every quote.
struct EnclaveReport {
  ByteArray<16> cpu_svn{};
  ByteArray<4> misc_select{};  // memory order
  ByteArray<16> attributes{};  // flags u64, xfrm u64; flag bit 1 is DEBUG
  Hash32 mr_enclave{};
  Hash32 mr_signer{};
  uint16_t isv_prod_id = 0;
  uint16_t isv_svn = 0;
  ReportData report_data{};
};

// Report of a TDX trust domain.
struct TdReport {
  ByteArray<16> tee_tcb_svn{};  // at launch: [0] module SVN, [1] module version, [2] SEAM loader
  Hash48 mr_seam{};
  Hash48 mr_signer_seam{};
  ByteArray<8> seam_attributes{};
  uint64_t td_attributes = 0;
  uint64_t xfam = 0;
  Hash48 mrtd{};
  Hash48 mr_config_id{};
  Hash48 mr_owner{};
  Hash48 mr_owner_config{};
  Hash48 rtmr[4]{};
  ReportData report_data{};
  bool is_15 = false;            // the two below exist
  ByteArray<16> tee_tcb_svn2{};  // of the module that runs now
  Hash48 mr_service_td{};
};

// Bits of TdReport::td_attributes.
inline constexpr uint64_t kTdDebug = 1ull << 0;
inline constexpr uint64_t kTdSeptVeDisable = 1ull << 28;
inline constexpr uint64_t kTdMigratable = 1ull << 29;
inline constexpr uint64_t kTdPks = 1ull << 30;
inline constexpr uint64_t kTdKeyLocker = 1ull << 31;
inline constexpr uint64_t kTdPerfmon = 1ull << 63;

struct Quote {
  uint16_t version = 0;
  TeeType tee = TeeType::kTdx;
  ByteArray<20> user_data{};
  std::optional<TdReport> td;  // one of td and enclave
  std::optional<EnclaveReport> enclave;
  Bytes signed_bytes;  // header, descriptor if version 5, body
  crypto::P256Signature signature{};
  crypto::P256PublicKey attestation_key{};
  Bytes qe_report_bytes;  // 384, as signed by the PCK key
  EnclaveReport qe_report;
  crypto::P256Signature qe_report_signature{};
  Bytes qe_auth_data;
  std::string pck_chain;  // PEM: leaf, CA, root
  size_t size = 0;        // bytes used; what follows in a buffer is not signed and is ignored

  const ReportData& report_data() const { return td ? td->report_data : enclave->report_data; }
};

// Refusals name check quote.structure. Bound: kMaxQuote bytes.
Result<Quote> ParseQuote(ByteView bytes);

}  // namespace teetee::attest
