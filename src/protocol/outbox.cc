#include "protocol/outbox.h"

#include "chain/eip712.h"
#include "crypto/merkle.h"
#include "protocol/fields.h"
#include "protocol/payment.h"
#include "protocol/plan.h"
#include "protocol/receipt.h"

namespace teetee::protocol {
namespace {

Json ToJson(const BatchEntry& e) {
  return Json::MakeObject({{"kind", "batch"},
                           {"model", ToHex0x(e.model)},
                           {"head", ToHex0x(e.head)},
                           {"seq", e.batch.seq},
                           {"count", e.batch.count},
                           {"root", ToHex0x(e.batch.root)},
                           {"charges", ListJson(e.batch.charges, ChargeJson)},
                           {"work", ListJson(e.batch.work, WorkJson)},
                           {"signature", SignatureText(e.signature)},
                           {"leaves", ListJson(e.leaves, ReceiptJson)}});
}

Json ToJson(const SettleEntry& e) {
  return Json::MakeObject({{"kind", "settle"},
                           {"query", QueryJson(e.query)},
                           {"receipt", ReceiptJson(e.receipt)},
                           {"parts", ListJson(e.parts, PartJson)},
                           {"signature", SignatureText(e.signature)}});
}

Json ToJson(const ReleaseEntry& e) {
  return Json::MakeObject({{"kind", "release"},
                           {"user", ToHex0x(e.user)},
                           {"model", ToHex0x(e.model)},
                           {"head", ToHex0x(e.head)},
                           {"epoch", e.epoch},
                           {"used", e.used.Decimal()},
                           {"signature", SignatureText(e.signature)}});
}

Status CheckLeaves(const BatchEntry& e) {
  std::vector<Hash32> hashes;
  for (const chain::Receipt& leaf : e.leaves) hashes.push_back(chain::StructHash(leaf));
  if (e.batch.count != hashes.size() || crypto::MerkleTree(std::move(hashes)).root() != e.batch.root) {
    return Error(Code::kDataLoss, "batch: its leaves do not hash to its root");
  }
  return Ok{};
}

Result<BatchEntry> BatchFromJson(const Json& json) {
  BatchEntry e;
  e.model = TT_TRY(GetHex<32>(json, "model"));
  e.head = TT_TRY(GetHex<20>(json, "head"));
  e.batch.seq = TT_TRY(json.GetUint64("seq"));
  e.batch.count = static_cast<uint32_t>(TT_TRY(GetBounded(json, "count", kMaxBatchLeaves)));
  e.batch.root = TT_TRY(GetHex<32>(json, "root"));
  e.batch.charges = TT_TRY(ListFromJson<chain::Charge>(json, "charges", kMaxCharges, ChargeFromJson));
  e.batch.work = TT_TRY(ListFromJson<chain::Work>(json, "work", kMaxPlanNodes, WorkFromJson));
  e.signature = TT_TRY(GetSignature(json, "signature"));
  e.leaves = TT_TRY(ListFromJson<chain::Receipt>(json, "leaves", kMaxBatchLeaves, ReceiptFromJson));
  TT_RETURN_IF_ERROR(CheckLeaves(e));
  return e;
}

Result<SettleEntry> SettleFromJson(const Json& json) {
  SettleEntry e;
  e.query = TT_TRY(QueryFromJson(*TT_TRY(json.GetObject("query"))));
  e.receipt = TT_TRY(ReceiptFromJson(*TT_TRY(json.GetObject("receipt"))));
  e.parts = TT_TRY(ListFromJson<chain::Part>(json, "parts", kMaxPlanNodes, PartFromJson));
  e.signature = TT_TRY(GetSignature(json, "signature"));
  return e;
}

Result<ReleaseEntry> ReleaseFromJson(const Json& json) {
  ReleaseEntry e;
  e.user = TT_TRY(GetHex<20>(json, "user"));
  e.model = TT_TRY(GetHex<32>(json, "model"));
  e.head = TT_TRY(GetHex<20>(json, "head"));
  e.epoch = static_cast<uint32_t>(TT_TRY(GetBounded(json, "epoch", UINT32_MAX)));
  e.used = TT_TRY(GetWei(json, "used"));
  e.signature = TT_TRY(GetSignature(json, "signature"));
  return e;
}

}  // namespace

Json OutboxEntry::ToJson() const {
  Json out = std::visit([](const auto& e) { return protocol::ToJson(e); }, what);
  out.Set("n", n);
  return out;
}

Result<OutboxEntry> OutboxEntry::FromJson(const Json& json) {
  OutboxEntry entry;
  entry.n = TT_TRY(json.GetUint64("n"));
  std::string kind = TT_TRY(json.GetString("kind"));
  if (kind == "batch") {
    entry.what = TT_TRY(BatchFromJson(json));
  } else if (kind == "settle") {
    entry.what = TT_TRY(SettleFromJson(json));
  } else if (kind == "release") {
    entry.what = TT_TRY(ReleaseFromJson(json));
  } else {
    return Error(Code::kInvalidArgument, "outbox: an entry of unknown kind");
  }
  return entry;
}

}  // namespace teetee::protocol
