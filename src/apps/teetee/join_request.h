// An auditor's judgement over a node that wants to join: the same for `teetee attest approve` (files) and `teetee attest serve` (HTTP).
#pragma once

#include <string>

#include "attest/policy/trust_file.h"
#include "base/json.h"
#include "chain/eip712.h"
#include "chain/model_id.h"

namespace teetee::cli {

// What a node answers at /v1/teetee/join-evidence.
struct JoinRequest {
  chain::JoinClaim claim;
  Hash32 model{}, report_data{};
  uint32_t slot = 0;
  uint64_t block_number = 0;
  Bytes quote;
  std::string collateral;
};
Result<JoinRequest> ParseJoinRequest(const Json& json, const attest::TrustFile& trust);

struct SignedApproval {
  chain::Approval approval;
  chain::CompactSignature signature;
};
// Signs only after the quote was verified under the trust file, of a listed measurement, and says exactly this join: chain, registry,
// host, key, block, and the weights of the slot. Errors name the check. Whether the block is recent, the Registry judges. `now`: unix
// seconds.
Result<SignedApproval> ApproveJoin(const JoinRequest& request, const chain::Model& params, const attest::TrustFile& trust,
                                   const crypto::SigningKey& auditor, int64_t now);

}  // namespace teetee::cli
