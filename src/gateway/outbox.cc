#include "gateway/outbox.h"

#include <algorithm>

#include "chain/contracts.h"
#include "chain/model_id.h"

namespace teetee::gateway {
namespace {

Error Foreign(const char* what) {
  return Error(Code::kPermissionDenied, std::string("outbox: ") + what);
}

Result<AcceptedEntry> Accept(const protocol::BatchEntry& e, const Address& head,
                             const chain::Domain& domain) {
  if (e.head != head) return Foreign("a batch of another head");
  AcceptedEntry out;
  out.item.line = chain::LineOf(e.model, head);
  const auto is_foreign = [&](const chain::Receipt& leaf) { return leaf.line != out.item.line; };
  if (std::any_of(e.leaves.begin(), e.leaves.end(), is_foreign))
    return Foreign("a receipt of another line");
  if (e.leaves.empty() && e.batch.charges.empty()) return Foreign("a batch with nothing in it");
  if (e.batch.seq == 0 || e.batch.seq > static_cast<uint64_t>(INT64_MAX))
    return Foreign("a batch number out of range");
  TT_RETURN_IF_ERROR(
      chain::VerifyTyped(domain, chain::MessageOf(out.item.line, e.batch), head, e.signature));
  out.item.kind = EntryKind::kBatch;
  out.item.seq = e.batch.seq;
  out.item.id = e.batch.root;
  out.item.call = chain::ledger::SettleBatch(e.model, head, e.batch, e.signature);
  std::vector<Hash32> hashes;
  for (const chain::Receipt& leaf : e.leaves) hashes.push_back(chain::StructHash(leaf));
  const crypto::MerkleTree tree(std::move(hashes));
  for (size_t i = 0; i < e.leaves.size(); ++i) out.receipts.push_back({e.leaves[i], tree.Proof(i)});
  return out;
}

Result<AcceptedEntry> Accept(const protocol::SettleEntry& e, const Address& head,
                             const chain::Domain& domain) {
  if (e.query.head != head) return Foreign("a query of another head");
  AcceptedEntry out;
  out.item.line = chain::LineOf(e.query.model, head);
  out.item.id = chain::QueryId(domain, e.query);
  if (e.receipt.query != out.item.id || e.receipt.line != out.item.line)
    return Foreign("a receipt of another query");
  TT_RETURN_IF_ERROR(chain::VerifyTyped(domain, e.receipt, head, e.signature));
  out.item.kind = EntryKind::kSettle;
  out.item.call = chain::ledger::Settle(e.query, e.receipt, e.parts, e.signature);
  out.receipts.push_back({e.receipt, {}});
  return out;
}

Result<AcceptedEntry> Accept(const protocol::ReleaseEntry& e, const Address& head,
                             const chain::Domain& domain) {
  if (e.head != head) return Foreign("a release of another head");
  AcceptedEntry out;
  out.item.line = chain::LineOf(e.model, head);
  const chain::Release message{e.user, out.item.line, e.epoch, e.used};
  TT_RETURN_IF_ERROR(chain::VerifyTyped(domain, message, head, e.signature));
  out.item.kind = EntryKind::kRelease;
  out.item.id = chain::StructHash(message);
  out.item.call = chain::ledger::ReleaseTab(e.user, e.model, head, e.epoch, e.used, e.signature);
  return out;
}

}  // namespace

Result<AcceptedEntry> AcceptEntry(const protocol::OutboxEntry& entry, const Address& head,
                                  const chain::Domain& domain) {
  auto out = std::visit([&](const auto& e) { return Accept(e, head, domain); }, entry.what);
  if (out) {
    out->item.head = head;
    out->item.n = entry.n;
  }
  return out;
}

Result<OutboxPage> ReadOutboxPage(std::string_view text, uint64_t after, const Address& head,
                                  const chain::Domain& domain) {
  const Json json = TT_TRY(Json::Parse(text, {.max_bytes = kMaxOutboxPage, .max_depth = 8}));
  const Json* entries = TT_TRY(json.GetArray("entries"));
  OutboxPage page;
  uint64_t last = after;
  for (const Json& item : entries->as_array()) {
    const auto entry = TT_TRY(protocol::OutboxEntry::FromJson(item));
    if (entry.n <= last || entry.n > static_cast<uint64_t>(INT64_MAX)) {
      return Error(Code::kInvalidArgument, "outbox: the entries' numbers do not rise");
    }
    last = entry.n;
    page.numbers.push_back(entry.n);
    auto accepted = AcceptEntry(entry, head, domain);
    if (accepted) {
      page.entries.push_back(*std::move(accepted));
    } else {
      ++page.refused;
    }
  }
  return page;
}

}  // namespace teetee::gateway
