#include "client/receipt_check.h"

#include <algorithm>

#include "chain/eip712.h"
#include "chain/model_id.h"

namespace teetee::client {
namespace {

using protocol::ReceiptDocument;
using protocol::Transcript;

void CheckTranscript(const Transcript& t, const ReceiptContext& c, CheckList& checks) {
  checks.Add("receipt.chain",
             t.chain_id == c.trust->chain_id() && t.ledger == c.trust->ledger() && t.registry == c.trust->registry(),
             "chain, ledger and registry are the trust file's");
  checks.Add("receipt.model", t.model == c.model && t.manifest == c.params->manifest, "model and manifest are the ones that were asked for");
  checks.Add("receipt.request", t.request == c.request, "it names this very request");
  checks.Add("receipt.plan", t.plan == c.plan.Hash(), "it names the plan that the client made");
  checks.Add("receipt.mode", t.mode == c.mode, "the way of payment is the one that was chosen");
}

bool SameNode(const protocol::TranscriptStage& s, const attest::Claims& c) {
  return s.key == c.signing_address && s.host == c.host && s.weights == c.weights_root && s.boot == c.boot_id;
}

void CheckStages(const Transcript& t, const ReceiptContext& c, CheckList& checks) {
  bool complete = t.stages.size() == c.params->slots.size() && c.claims.size() == t.stages.size();
  for (size_t slot = 0; complete && slot < t.stages.size(); ++slot) {
    const auto& stage = t.stages[slot];
    complete = stage.slot == slot && c.plan.Permits(stage.slot, stage.key) && SameNode(stage, c.claims[slot]) &&
               stage.weights == c.params->slots[slot].weights;
  }
  checks.Add("receipt.stages", complete, "every slot was served by the node that the client verified, in the same boot, with the model's shard");
}

void CheckProofs(const ReceiptDocument& d, const ReceiptContext& c, const chain::Domain& domain, CheckList& checks) {
  std::vector<bool> signed_slots(c.params->slots.size(), false);
  if (!signed_slots.empty()) signed_slots[0] = true;
  // Only the proof of the chosen way of payment counts: work is cumulative and could be of other answers.
  bool valid = (d.work.empty() || c.mode == "tab") && (d.parts.empty() || c.mode == "strict");
  auto mark = [&](uint8_t slot, const crypto::Address& key) {
    if (slot == 0 || slot >= signed_slots.size() || !c.plan.Permits(slot, key)) return false;
    signed_slots[slot] = true;
    return true;
  };
  for (const chain::Work& w : d.work) {
    chain::WorkMessage message{d.receipt.line, w.slot, w.key, w.total};
    valid = valid && mark(w.slot, w.key) && chain::VerifyTyped(domain, message, w.key, w.signature).has_value() && w.total >= d.receipt.cost;
  }
  for (const chain::Part& p : d.parts) {
    chain::PartMessage message{d.receipt.query, p.slot, p.key, p.tokens_in, p.tokens_out};
    valid = valid && mark(p.slot, p.key) && chain::VerifyTyped(domain, message, p.key, p.signature).has_value() &&
            p.tokens_in >= d.receipt.tokens_in && p.tokens_out >= d.receipt.tokens_out;
  }
  bool all = c.mode == "free" || std::all_of(signed_slots.begin(), signed_slots.end(), [](bool b) { return b; });
  checks.Add("receipt.proofs", valid && all, "every later stage signed for its work, and for enough of it");
}

}  // namespace

CheckList CheckReceipt(const ReceiptDocument& d, const ReceiptContext& c) {
  CheckList checks;
  const chain::Receipt& r = d.receipt;
  chain::Domain domain = chain::Domain::Ledger(c.trust->chain_id(), c.trust->ledger());
  const crypto::Address& head = c.plan.head().key;
  checks.Add("receipt.signature", chain::VerifyTyped(domain, r, head, d.signature), "signed by the plan's head " + crypto::AddressText(head));
  checks.Add("receipt.transcript", d.transcript.Hash() == r.transcript, "the transcript hashes to the receipt's word");
  checks.Add("receipt.line", r.line == chain::LineOf(c.model, head), "the line is that of this model and head");
  Hash32 query = c.mode == "strict" ? c.strict_query : chain::TabQueryId(r.line, c.request);
  checks.Add("receipt.query", r.query == query, "the query id is this request's");
  checks.Add("receipt.input", r.input == protocol::CommitInput(c.secret, c.body), "the commitment to the input is that of the request that was sent");
  checks.Add("receipt.output", r.output == protocol::CommitOutput(c.secret, c.outputs), "the commitment to the output is that of the answer that was received");
  chain::Wei cost = c.mode == "free" ? chain::Wei() : chain::CostOf(r.tokens_in, r.tokens_out, c.params->price_in, c.params->price_out);
  checks.Add("receipt.cost", r.cost == cost,
             std::to_string(r.tokens_in) + " tokens in and " + std::to_string(r.tokens_out) + " out at the model's prices: " + cost.Eth());
  CheckTranscript(d.transcript, c, checks);
  CheckStages(d.transcript, c, checks);
  CheckProofs(d, c, domain, checks);
  return checks;
}

}  // namespace teetee::client
