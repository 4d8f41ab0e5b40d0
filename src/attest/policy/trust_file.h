// What a user accepts: read from a file or compiled in, never fetched from the gateway.
// docs/formats/evidence.md section 6. An empty list accepts nothing. Immutable; thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"

namespace teetee::attest {

enum class EvidenceClass : uint8_t { kSimulated, kProduction };
std::string_view EvidenceClassName(EvidenceClass c);  // "simulated", "production"

enum class TcbStatus : uint8_t {  // Intel's names
  kUpToDate,
  kSwHardeningNeeded,
  kConfigurationNeeded,
  kConfigurationAndSwHardeningNeeded,
  kOutOfDate,
  kOutOfDateConfigurationNeeded,
  kTdRelaunchAdvised,
  kTdRelaunchAdvisedConfigurationNeeded,
  kRevoked,
};
std::string_view TcbStatusName(TcbStatus status);  // "UpToDate"
std::optional<TcbStatus> TcbStatusFromName(std::string_view name);

// SHA-256 over the SubjectPublicKeyInfo of "Intel SGX Root CA".
extern const Hash32 kIntelRootSpkiHash;

// A release that may run in a trust domain. Registers that are not named are not compared.
struct Measurement {
  std::string name;
  Hash48 mrtd{};
  std::optional<Hash48> rtmr[4];
};

class TrustFile {
 public:
  // Strict: no unknown member. Refused: class simulated off chain 31337 or with a vendor's root;
  // class production with any root that is not a vendor's; "Revoked" among accepted_tcb.
  static Result<TrustFile> Parse(std::string_view json);
  static Result<TrustFile> Load(const std::string& path);

  EvidenceClass evidence_class() const { return class_; }
  uint64_t chain_id() const { return chain_id_; }
  const ByteArray<20>& registry() const { return registry_; }
  const ByteArray<20>& ledger() const { return ledger_; }
  const std::vector<Hash32>& roots() const { return roots_; }  // SHA-256 of SPKI, sorted
  const std::vector<Measurement>& measurements() const { return measurements_; }
  const std::map<std::string, Hash32>& models() const { return models_; }  // name -> model id
  const std::vector<TcbStatus>& accepted_tcb() const { return accepted_tcb_; }
  uint64_t min_tcb_evaluation() const { return min_tcb_evaluation_; }

  // The model id for a name: kNotFound if the file does not know it.
  Result<Hash32> ModelId(std::string_view name) const;

  // Canonical form: roots as hashes, lists sorted, defaults written out.
  Json ToJson() const;
  // SHA-256 of the canonical form without "models" (names are the user's own; a node enforces none
  // of them).
  Hash32 PolicyHash() const;

 private:
  TrustFile() = default;
  Status Read(const Json& json);
  Status CheckClass() const;

  EvidenceClass class_ = EvidenceClass::kProduction;
  uint64_t chain_id_ = 0;
  ByteArray<20> registry_{};
  ByteArray<20> ledger_{};
  std::vector<Hash32> roots_;
  std::vector<Measurement> measurements_;
  std::map<std::string, Hash32> models_;
  std::vector<TcbStatus> accepted_tcb_;
  uint64_t min_tcb_evaluation_ = 0;
};

}  // namespace teetee::attest
