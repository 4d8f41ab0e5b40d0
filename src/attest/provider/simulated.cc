#include "attest/provider/simulated.h"

#ifdef TEETEE_SIMULATED

#include "attest/provider/measure.h"
#include "attest/provider/sim_quote.h"

namespace teetee::attest {

Result<std::unique_ptr<SimulatedProvider>> SimulatedProvider::Open(const std::string& pki_folder,
                                                                   const std::string& executable) {
  DevPki pki = TT_TRY(DevPki::Load(pki_folder));
  Hash48 mrtd = TT_TRY(MeasureExecutable(executable));
  return std::unique_ptr<SimulatedProvider>(new SimulatedProvider(std::move(pki), mrtd));
}

Result<Bytes> SimulatedProvider::Quote(const ReportData& report_data) {
  simulated::QuoteSpec spec = simulated::HonestQuote(mrtd_);
  spec.td.report_data = report_data;
  return simulated::BuildQuote(spec, pki_.platform().pck_key, pki_.platform().pck_chain);
}

}  // namespace teetee::attest

#endif  // TEETEE_SIMULATED
