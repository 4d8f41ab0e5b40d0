// Simulated evidence: a TDX v4 quote that the real verifier reads, signed by this machine's
// development PKI. It proves which executable runs to nobody but the developer who made that PKI.
// Not in measured images (TEETEE_SIMULATED=OFF).
#pragma once

#ifdef TEETEE_SIMULATED

#include <memory>
#include <string>

#include "attest/provider/dev_pki.h"
#include "attest/provider/provider.h"

namespace teetee::attest {

// MRCONFIGID as dstack writes it: 01, SHA-256 of app-compose.json, zeros.
Hash48 ComposeConfigId(ByteView app_compose);

// MRTD = SHA-384 of the executable, read once when opened. Thread-safe.
class SimulatedProvider : public EvidenceProvider {
 public:
  static Result<std::unique_ptr<SimulatedProvider>> Open(
      const std::string& pki_folder, const std::string& executable = "/proc/self/exe",
      const Hash48& config_id = {},  // what quotes show as MRCONFIGID
      bool debug = false);           // quotes show the DEBUG attribute, so that verifiers refuse them

  Result<Bytes> Quote(const ReportData& report_data) override;
  Result<Bytes> Collateral() override { return pki_.platform().collateral; }
  std::string_view kind() const override { return "simulated"; }
  const Hash48& mrtd() const { return mrtd_; }

 private:
  SimulatedProvider(DevPki pki, const Hash48& mrtd, const Hash48& config_id, bool debug)
      : pki_(std::move(pki)), mrtd_(mrtd), config_id_(config_id), debug_(debug) {}
  const DevPki pki_;
  const Hash48 mrtd_;
  const Hash48 config_id_;
  const bool debug_;
};

}  // namespace teetee::attest

#endif  // TEETEE_SIMULATED
