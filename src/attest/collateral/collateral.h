// What a verifier needs beside a quote: the JSON container of dcap-qvl (docs/formats/evidence.md
// section 5), and the two signed documents inside it. Parsing gives fields and no trust: verify/
// checks signatures before it reads the documents.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attest/policy/trust_file.h"
#include "base/bytes.h"
#include "crypto/x509.h"

namespace teetee::attest {

inline constexpr size_t kMaxCollateral =
    4u << 20;  // bytes of the container (a CRL may hold 1 MB, twice that in hex)
inline constexpr size_t kMaxSignedDocument = 1u << 20;  // bytes of TCB info or QE identity

// A document with its signature and signer: the signature covers `text` byte for byte, so it is
// never written anew.
struct SignedDocument {
  std::string text;
  crypto::P256Signature signature{};
  std::vector<crypto::Certificate> chain;  // signer, root
};

struct Collateral {
  crypto::Crl root_crl;
  crypto::Crl pck_crl;
  SignedDocument tcb_info;
  SignedDocument qe_identity;
};

// Unknown members are ignored, as are pck_crl_issuer_chain and pck_certificate_chain: the quote
// carries the PCK chain. Refusals name check collateral.structure, or crl.root and crl.pck for a
// CRL that cannot be read.
Result<Collateral> ParseCollateral(ByteView json);

// One row of any of the TCB tables.
struct TcbLevel {
  ByteArray<16> sgx_components{};  // platform levels only
  ByteArray<16> tdx_components{};  // platform levels of TDX only
  uint16_t pce_svn = 0;            // platform levels only
  uint16_t isv_svn = 0;            // module and QE levels only
  TcbStatus status = TcbStatus::kRevoked;
  std::vector<std::string> advisories;
};

struct ModuleIdentity {
  std::string id;  // "TDX_03"; empty for the tdxModule of version 0
  Hash48 mr_signer{};
  ByteArray<8> attributes{};
  ByteArray<8> attributes_mask{};
  std::vector<TcbLevel> levels;  // descending isv_svn
};

struct TcbInfo {
  std::string id;  // "TDX" or "SGX"
  crypto::Validity dates;
  ByteArray<6> fmspc{};
  ByteArray<2> pce_id{};
  uint64_t evaluation = 0;               // tcbEvaluationDataNumber
  std::optional<ModuleIdentity> module;  // TDX
  std::vector<ModuleIdentity> module_identities;
  std::vector<TcbLevel> levels;  // descending (sgx_components, pce_svn, tdx_components)
};

// Version 3 only. Arrays of components have exactly 16 entries; an unknown status is refused;
// levels are sorted here, whatever the order of the text. Plain kInvalidArgument.
Result<TcbInfo> ParseTcbInfo(std::string_view text);

struct QeIdentity {
  std::string id;  // "TD_QE" or "QE"
  crypto::Validity dates;
  ByteArray<4> misc_select{};
  ByteArray<4> misc_select_mask{};
  ByteArray<16> attributes{};
  ByteArray<16> attributes_mask{};
  Hash32 mr_signer{};
  uint16_t isv_prod_id = 0;
  uint64_t evaluation = 0;
  std::vector<TcbLevel> levels;  // descending isv_svn
};

// Version 2, for TD_QE also 3 (its fields are the same). Plain kInvalidArgument.
Result<QeIdentity> ParseQeIdentity(std::string_view text);

}  // namespace teetee::attest
