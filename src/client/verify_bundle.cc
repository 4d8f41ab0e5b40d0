#include <algorithm>

#include "chain/contracts.h"
#include "chain/eip712.h"
#include "client/bundle.h"
#include "client/receipt_check.h"
#include "client/route.h"
#include "crypto/merkle.h"

namespace teetee::client {
namespace {

// Evidence of each slot, judged at the time when the client judged it.
Result<std::vector<attest::Claims>> CheckEvidence(const Bundle& bundle, const attest::TrustFile& trust, CheckList& checks) {
  std::vector<attest::Claims> claims;
  for (uint32_t slot = 0; slot < bundle.params.slots.size(); ++slot) {
    auto found = std::find_if(bundle.evidence.begin(), bundle.evidence.end(), [&](auto& e) { return e.slot == slot; });
    if (found == bundle.evidence.end()) {
      checks.Add("node.evidence", false, "slot " + std::to_string(slot) + ": the bundle holds no evidence");
      continue;
    }
    std::string collateral = found->collateral.Dump();
    auto peer = attest::VerifyEvidence(found->evidence, AsBytes(collateral), attest::ExpectedReportData::ThroughGateway(), trust, bundle.checked_at);
    if (!peer) {
      checks.Add("node.evidence", false, "slot " + std::to_string(slot) + ": " + peer.error().message());
      continue;
    }
    (void)CheckNode(*peer, slot, found->key, bundle.model, bundle.params, checks);
    checks.Add("claims.age", attest::CheckClaimsAge(peer->claims(), bundle.checked_at),
               "slot " + std::to_string(slot) + ": the evidence was fresh when it was checked");
    claims.push_back(peer->claims());
  }
  return claims;
}

void SayTrust(const attest::TrustFile& trust, bool own, CheckList& checks) {
  bool simulated = trust.evidence_class() == attest::EvidenceClass::kSimulated;
  std::string text = own ? "judged by your own trust file" : "judged by the trust file inside the bundle: give yours with --trust";
  if (simulated) text += "; class SIMULATED: this proves nothing about real hardware";
  checks.Add("trust", true, text);
}

}  // namespace

CheckList VerifyBundle(const Bundle& bundle, const attest::TrustFile* own) {
  CheckList checks;
  auto inside = attest::TrustFile::Parse(bundle.trust);
  if (!own && !inside) {
    checks.Add("trust", false, inside.error().message());
    return checks;
  }
  const attest::TrustFile& trust = own ? *own : *inside;
  SayTrust(trust, own != nullptr, checks);
  const auto& models = trust.models();
  bool named = std::any_of(models.begin(), models.end(), [&](auto& m) { return m.second == bundle.model; });
  checks.Add("trust.model", named, "the trust file names this model");
  (void)CheckModel(bundle.model, bundle.params, bundle.manifest, checks);
  checks.Add("plan.policy", bundle.plan.policy == trust.PolicyHash() && bundle.plan.model == bundle.model,
             "the plan was made for this model under this trust policy");
  auto claims = CheckEvidence(bundle, trust, checks);

  ReceiptContext context;
  context.trust = &trust;
  context.model = bundle.model;
  context.params = &bundle.params;
  context.plan = bundle.plan;
  context.request = bundle.receipt.transcript.request;
  context.secret = bundle.secret;
  context.body = bundle.body;
  context.outputs = bundle.outputs;
  if (claims) context.claims = *std::move(claims);
  context.mode = bundle.receipt.transcript.mode;
  if (bundle.query) context.strict_query = chain::QueryId(chain::Domain::Ledger(trust.chain_id(), trust.ledger()), *bundle.query);
  if (bundle.query) {
    const chain::Query& q = *bundle.query;
    const chain::Receipt& r = bundle.receipt.receipt;
    checks.Add("query.terms", q.model == bundle.model && q.head == bundle.plan.head().key && q.input == r.input && r.cost <= q.max_cost,
               "the query was opened for this model, head and input, and covers the cost");
  }
  checks.Append(CheckReceipt(bundle.receipt, context));
  if (bundle.settlement) {
    bool included = crypto::MerkleVerify(bundle.settlement->proof, bundle.settlement->root, chain::StructHash(bundle.receipt.receipt));
    bool strict = context.mode == "strict";
    checks.Add("settlement.proof", strict || included, strict ? "settled by itself" : "the receipt is a leaf under the batch's root");
  }
  const auto& t = bundle.receipt.transcript;
  checks.Add("receipt.time", t.block_time > 0 && t.block_time <= static_cast<uint64_t>(bundle.checked_at) + attest::kMaxBlockAhead,
             "valid as of block " + std::to_string(t.block_number) + " (unix time " + std::to_string(t.block_time) + ")");
  checks.Add("bundle.sha256", bundle.intact, "the file is as its client wrote it (this finds damage; the signatures above find forgery)");
  return checks;
}

net::Task<Status> VerifyOnChain(const Bundle& bundle, chain::Rpc& rpc, CheckList& checks) {
  const auto& t = bundle.receipt.transcript;
  auto id = co_await rpc.ChainId();
  TT_CO_CHECK(id);
  checks.Add("chain.id", *id == t.chain_id, "the RPC serves the receipt's chain");
  if (t.mode == "strict") {
    auto record = co_await rpc.Read(t.ledger, chain::ledger::RecordOf(bundle.receipt.receipt.query));
    TT_CO_CHECK(record);
    checks.Add("chain.record", *record == chain::StructHash(bundle.receipt.receipt), "the ledger's record of the query is this receipt");
    co_return Ok{};
  }
  if (!bundle.settlement) {
    checks.Add("chain.batch", false, "the bundle holds no Merkle proof yet: its batch was not mined when it was last asked for");
    co_return Ok{};
  }
  auto on_chain = co_await rpc.Read(t.ledger, chain::ledger::VerifyReceipt(bundle.receipt.receipt, bundle.settlement->seq, bundle.settlement->proof));
  TT_CO_CHECK(on_chain);
  checks.Add("chain.batch", *on_chain, "the ledger confirms that the receipt is in batch " + std::to_string(bundle.settlement->seq));
  co_return Ok{};
}

}  // namespace teetee::client
