#include "apps/teetee/join_request.h"

#include "attest/verify/peer.h"
#include "chain/contracts.h"
#include "protocol/fields.h"

namespace teetee::cli {
namespace {

constexpr uint64_t kApprovalSeconds = 600;

Status Judge(const JoinRequest& r, const chain::Model& params, const attest::TrustFile& trust, int64_t now) {
  if (chain::ModelId(params) != r.model) return Error(Code::kPermissionDenied, "check model.id: the request is for another model");
  if (r.slot >= params.slots.size() || params.slots[r.slot].weights != r.claim.weights) {
    return Error(Code::kPermissionDenied, "check join.weights: the shard is not the slot's");
  }
  Hash32 digest = chain::JoinReportData(r.claim);
  if (digest != r.report_data) return Error(Code::kUnauthenticated, "check join.report_data: it does not say this join");
  TT_RETURN_IF_ERROR(attest::VerifyJoinQuote(r.quote, AsBytes(r.collateral), digest, trust, now));
  return Ok{};
}

}  // namespace

Result<JoinRequest> ParseJoinRequest(const Json& json, const attest::TrustFile& trust) {
  JoinRequest r;
  r.claim.chain_id = trust.chain_id();
  r.claim.registry = trust.registry();
  r.claim.host = TT_TRY(protocol::GetHex<20>(json, "host"));
  r.claim.key = TT_TRY(protocol::GetHex<20>(json, "key"));
  r.claim.weights = TT_TRY(protocol::GetHex<32>(json, "weights"));
  r.claim.block_hash = TT_TRY(protocol::GetHex<32>(json, "block_hash"));
  r.model = TT_TRY(protocol::GetHex<32>(json, "model"));
  r.report_data = TT_TRY(protocol::GetHex<32>(json, "report_data"));
  r.slot = static_cast<uint32_t>(TT_TRY(protocol::GetBounded(json, "slot", chain::kMaxSlots - 1)));
  r.block_number = TT_TRY(json.GetUint64("block_number"));
  r.quote = TT_TRY(FromBase64(TT_TRY(json.GetString("quote"))));
  r.collateral = TT_TRY(json.GetObject("collateral"))->Dump();
  return r;
}

Result<SignedApproval> ApproveJoin(const JoinRequest& request, const chain::Model& params, const attest::TrustFile& trust,
                                   const crypto::SigningKey& auditor, int64_t now) {
  TT_RETURN_IF_ERROR(Judge(request, params, trust, now));
  chain::Approval approval{params.manifest, request.report_data, static_cast<uint64_t>(now) + kApprovalSeconds};
  auto signature = chain::SignTyped(chain::Domain::Allowlist(trust.chain_id(), params.verifier), approval, auditor);
  return SignedApproval{approval, signature};
}

}  // namespace teetee::cli
