#include "attest/provider/simulated.h"

#ifdef TEETEE_SIMULATED

#include <algorithm>

#include "attest/provider/measure.h"
#include "attest/provider/sim_quote.h"
#include "crypto/hash.h"

namespace teetee::attest {

Hash48 ComposeConfigId(ByteView app_compose) {
  Hash48 out{};
  out[0] = 1;
  const Hash32 hash = crypto::Sha256(app_compose);
  std::copy(hash.begin(), hash.end(), out.begin() + 1);
  return out;
}

Result<std::unique_ptr<SimulatedProvider>> SimulatedProvider::Open(const std::string& pki_folder,
                                                                   const std::string& executable,
                                                                   const Hash48& config_id,
                                                                   bool debug) {
  DevPki pki = TT_TRY(DevPki::Load(pki_folder));
  Hash48 mrtd = TT_TRY(MeasureExecutable(executable));
  return std::unique_ptr<SimulatedProvider>(new SimulatedProvider(std::move(pki), mrtd, config_id, debug));
}

Result<Bytes> SimulatedProvider::Quote(const ReportData& report_data) {
  simulated::QuoteSpec spec = simulated::HonestQuote(mrtd_);
  spec.td.report_data = report_data;
  spec.td.mr_config_id = config_id_;
  if (debug_) spec.td.td_attributes |= kTdDebug;
  return simulated::BuildQuote(spec, pki_.platform().pck_key, pki_.platform().pck_chain);
}

}  // namespace teetee::attest

#endif  // TEETEE_SIMULATED
