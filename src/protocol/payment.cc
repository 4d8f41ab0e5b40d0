#include "protocol/payment.h"

#include "crypto/keccak.h"
#include "protocol/fields.h"

namespace teetee::protocol {
namespace {

Json ToJson(const TabPayment& p) {
  return Json::MakeObject({{"kind", "tab"},
                           {"user", ToHex0x(p.user)},
                           {"epoch", p.epoch},
                           {"total", p.total.Decimal()},
                           {"signature", SignatureText(p.signature)}});
}

Json ToJson(const StrictPayment& p) {
  return Json::MakeObject({{"kind", "strict"}, {"query", QueryJson(p.query)}});
}

Json ToJson(const FreePayment& p) {
  return Json::MakeObject({{"kind", "free"},
                           {"host", ToHex0x(p.host)},
                           {"session", ToHex0x(p.session)},
                           {"expires", p.expires},
                           {"access", SignatureText(p.access)},
                           {"signature", SignatureText(p.signature)}});
}

Result<Payment> TabFromJson(const Json& json) {
  TabPayment p;
  p.user = TT_TRY(GetHex<20>(json, "user"));
  p.epoch = static_cast<uint32_t>(TT_TRY(GetBounded(json, "epoch", UINT32_MAX)));
  p.total = TT_TRY(GetWei(json, "total"));
  p.signature = TT_TRY(GetSignature(json, "signature"));
  return Payment(p);
}

Result<Payment> FreeFromJson(const Json& json) {
  FreePayment p;
  p.host = TT_TRY(GetHex<20>(json, "host"));
  p.session = TT_TRY(GetHex<20>(json, "session"));
  p.expires = TT_TRY(json.GetUint64("expires"));
  p.access = TT_TRY(GetSignature(json, "access"));
  p.signature = TT_TRY(GetSignature(json, "signature"));
  return Payment(p);
}

}  // namespace

Json PaymentJson(const Payment& payment) {
  return std::visit([](const auto& p) { return ToJson(p); }, payment);
}

Result<Payment> PaymentFromJson(const Json& json) {
  std::string kind = TT_TRY(json.GetString("kind"));
  if (kind == "tab") return TabFromJson(json);
  if (kind == "free") return FreeFromJson(json);
  if (kind == "strict") {
    return Payment(StrictPayment{TT_TRY(QueryFromJson(*TT_TRY(json.GetObject("query"))))});
  }
  return Error(Code::kInvalidArgument, "payment: kind is none of tab, strict, free");
}

Json QueryJson(const chain::Query& query) {
  return Json::MakeObject({{"user", ToHex0x(query.user)},
                           {"model", ToHex0x(query.model)},
                           {"head", ToHex0x(query.head)},
                           {"input", ToHex0x(query.input)},
                           {"max_cost", query.max_cost.Decimal()},
                           {"deadline", query.deadline},
                           {"nonce", query.nonce}});
}

Result<chain::Query> QueryFromJson(const Json& json) {
  chain::Query query;
  query.user = TT_TRY(GetHex<20>(json, "user"));
  query.model = TT_TRY(GetHex<32>(json, "model"));
  query.head = TT_TRY(GetHex<20>(json, "head"));
  query.input = TT_TRY(GetHex<32>(json, "input"));
  query.max_cost = TT_TRY(GetWei(json, "max_cost"));
  query.deadline = TT_TRY(json.GetUint64("deadline"));
  query.nonce = TT_TRY(json.GetUint64("nonce"));
  return query;
}

Hash32 SessionHash(const crypto::Address& session) { return crypto::Keccak256(session); }

Hash32 FreeRequestDigest(const RequestId& request) {
  return crypto::Keccak256Stream().Update("teetee free v1").Update(request).Finish();
}

}  // namespace teetee::protocol
