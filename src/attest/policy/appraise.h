// Is a genuine quote one that we want? Separate from verify/: that asks the vendor, this asks the
// trust file. Pure functions. (docs/formats/evidence.md section 4, step 16.)
#pragma once

#include <string>
#include <vector>

#include "attest/policy/trust_file.h"
#include "attest/verify/verified_quote.h"

namespace teetee::attest {

// The rules that hold for every trust domain, whatever it runs: debug and other attributes, CPU
// features, service TD. For an SGX quote: the debug attribute.
Status AppraiseAttributes(const VerifiedQuote& quote);
// TCB status and evaluation number.
Status AppraiseTcb(const VerifiedQuote& quote, const std::vector<TcbStatus>& accepted,
                   uint64_t min_evaluation);
// Everything: class, kind of TEE, the two above, measurement. Returns the name of the matching
// release.
Result<std::string> Appraise(const VerifiedQuote& quote, const TrustFile& trust);

}  // namespace teetee::attest
