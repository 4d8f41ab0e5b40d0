#include "protocol/receipt.h"

#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "protocol/fields.h"

namespace teetee::protocol {
namespace {

Status ExpectMembers(const Json& object, std::initializer_list<std::string_view> names, std::string_view what) {
  if (!object.is_object()) return Error(Code::kInvalidArgument, std::string(what) + ": expected an object");
  for (const auto& [key, value] : object.as_object()) {
    bool known = false;
    for (std::string_view name : names) known |= name == key;
    if (!known) return Error(Code::kInvalidArgument, std::string(what) + ": an unknown member");
  }
  return Ok{};
}

Json StageJson(const TranscriptStage& s) {
  return Json::MakeObject({{"slot", s.slot},
                           {"key", ToHex0x(s.key)},
                           {"host", ToHex0x(s.host)},
                           {"weights", ToHex0x(s.weights)},
                           {"boot", ToHex(s.boot)},
                           {"activations", ToHex(s.activations)}});
}

Result<TranscriptStage> StageFromJson(const Json& json) {
  TT_RETURN_IF_ERROR(ExpectMembers(json, {"slot", "key", "host", "weights", "boot", "activations"}, "stage"));
  TranscriptStage s;
  s.slot = static_cast<uint32_t>(TT_TRY(GetBounded(json, "slot", kMaxSlots - 1)));
  s.key = TT_TRY(GetHex<20>(json, "key"));
  s.host = TT_TRY(GetHex<20>(json, "host"));
  s.weights = TT_TRY(GetHex<32>(json, "weights"));
  s.boot = TT_TRY(GetHex<16>(json, "boot"));
  s.activations = TT_TRY(GetHex<32>(json, "activations"));
  return s;
}

}  // namespace

Secret<32> CommitmentKey(const Secret<32>& secret, std::string_view label) {
  Secret<32> prk = crypto::HkdfExtract({}, secret.view());
  return crypto::HkdfExpand<32>(prk.view(), AsBytes(label));
}

Secret<32> ActivationKey(const Secret<32>& secret, uint32_t slot) {
  return CommitmentKey(secret, "teetee activations v1 " + std::to_string(slot));
}

Hash32 CommitInput(const Secret<32>& secret, std::string_view body) {
  return crypto::HmacSha256(CommitmentKey(secret, "teetee input v1").view(), AsBytes(body));
}

Hash32 CommitOutput(const Secret<32>& secret, const std::vector<std::string>& texts) {
  Json list = Json::MakeArray();
  for (const std::string& text : texts) list.Push(text);
  return crypto::HmacSha256(CommitmentKey(secret, "teetee output v1").view(), AsBytes(list.Canonical()));
}

Json Transcript::ToJson() const {
  return Json::MakeObject(
      {{"v", 1},
       {"profile", 1},
       {"chain_id", chain_id},
       {"ledger", ToHex0x(ledger)},
       {"registry", ToHex0x(registry)},
       {"model", ToHex0x(model)},
       {"manifest", ToHex0x(manifest)},
       {"request", ToHex(request)},
       {"plan", ToHex(plan)},
       {"mode", mode},
       {"block", Json::MakeObject({{"number", block_number}, {"hash", ToHex0x(block_hash)}, {"time", block_time}})},
       {"finish", finish},
       {"stages", ListJson(stages, StageJson)}});
}

Result<Transcript> Transcript::FromJson(const Json& json) {
  TT_RETURN_IF_ERROR(ExpectMembers(json,
                                   {"v", "profile", "chain_id", "ledger", "registry", "model", "manifest", "request",
                                    "plan", "mode", "block", "finish", "stages"},
                                   "transcript"));
  if (TT_TRY(json.GetUint64("v")) != 1) return Error(Code::kUnimplemented, "transcript: unknown version");
  if (TT_TRY(json.GetUint64("profile")) != 1) return Error(Code::kUnimplemented, "transcript: unknown numeric profile");
  Transcript t;
  t.chain_id = TT_TRY(json.GetUint64("chain_id"));
  t.ledger = TT_TRY(GetHex<20>(json, "ledger"));
  t.registry = TT_TRY(GetHex<20>(json, "registry"));
  t.model = TT_TRY(GetHex<32>(json, "model"));
  t.manifest = TT_TRY(GetHex<32>(json, "manifest"));
  t.request = TT_TRY(GetHex<16>(json, "request"));
  t.plan = TT_TRY(GetHex<32>(json, "plan"));
  t.mode = TT_TRY(json.GetString("mode"));
  const Json& block = *TT_TRY(json.GetObject("block"));
  TT_RETURN_IF_ERROR(ExpectMembers(block, {"number", "hash", "time"}, "block"));
  t.block_number = TT_TRY(block.GetUint64("number"));
  t.block_hash = TT_TRY(GetHex<32>(block, "hash"));
  t.block_time = TT_TRY(block.GetUint64("time"));
  t.finish = TT_TRY(json.GetString("finish"));
  t.stages = TT_TRY(ListFromJson<TranscriptStage>(json, "stages", kMaxPlanNodes, StageFromJson));
  return t;
}

Hash32 Transcript::Hash() const { return crypto::Sha256(AsBytes(ToJson().Canonical())); }

Json ReceiptJson(const chain::Receipt& r) {
  return Json::MakeObject({{"query", ToHex0x(r.query)},
                           {"line", ToHex0x(r.line)},
                           {"input", ToHex0x(r.input)},
                           {"output", ToHex0x(r.output)},
                           {"tokens_in", r.tokens_in},
                           {"tokens_out", r.tokens_out},
                           {"cost", r.cost.Decimal()},
                           {"transcript", ToHex0x(r.transcript)}});
}

Result<chain::Receipt> ReceiptFromJson(const Json& json) {
  TT_RETURN_IF_ERROR(ExpectMembers(
      json, {"query", "line", "input", "output", "tokens_in", "tokens_out", "cost", "transcript"}, "receipt"));
  chain::Receipt r;
  r.query = TT_TRY(GetHex<32>(json, "query"));
  r.line = TT_TRY(GetHex<32>(json, "line"));
  r.input = TT_TRY(GetHex<32>(json, "input"));
  r.output = TT_TRY(GetHex<32>(json, "output"));
  r.tokens_in = static_cast<uint32_t>(TT_TRY(GetBounded(json, "tokens_in", UINT32_MAX)));
  r.tokens_out = static_cast<uint32_t>(TT_TRY(GetBounded(json, "tokens_out", UINT32_MAX)));
  r.cost = TT_TRY(GetWei(json, "cost"));
  r.transcript = TT_TRY(GetHex<32>(json, "transcript"));
  return r;
}

Json WorkJson(const chain::Work& w) {
  return Json::MakeObject({{"key", ToHex0x(w.key)},
                           {"slot", uint32_t{w.slot}},
                           {"total", w.total.Decimal()},
                           {"signature", SignatureText(w.signature)}});
}

Result<chain::Work> WorkFromJson(const Json& json) {
  TT_RETURN_IF_ERROR(ExpectMembers(json, {"key", "slot", "total", "signature"}, "work"));
  chain::Work w;
  w.key = TT_TRY(GetHex<20>(json, "key"));
  w.slot = static_cast<uint8_t>(TT_TRY(GetBounded(json, "slot", kMaxSlots - 1)));
  w.total = TT_TRY(GetWei(json, "total"));
  w.signature = TT_TRY(GetSignature(json, "signature"));
  return w;
}

Json PartJson(const chain::Part& p) {
  return Json::MakeObject({{"key", ToHex0x(p.key)},
                           {"slot", uint32_t{p.slot}},
                           {"tokens_in", p.tokens_in},
                           {"tokens_out", p.tokens_out},
                           {"signature", SignatureText(p.signature)}});
}

Result<chain::Part> PartFromJson(const Json& json) {
  TT_RETURN_IF_ERROR(ExpectMembers(json, {"key", "slot", "tokens_in", "tokens_out", "signature"}, "part"));
  chain::Part p;
  p.key = TT_TRY(GetHex<20>(json, "key"));
  p.slot = static_cast<uint8_t>(TT_TRY(GetBounded(json, "slot", kMaxSlots - 1)));
  p.tokens_in = static_cast<uint32_t>(TT_TRY(GetBounded(json, "tokens_in", UINT32_MAX)));
  p.tokens_out = static_cast<uint32_t>(TT_TRY(GetBounded(json, "tokens_out", UINT32_MAX)));
  p.signature = TT_TRY(GetSignature(json, "signature"));
  return p;
}

Json ChargeJson(const chain::Charge& c) {
  return Json::MakeObject({{"user", ToHex0x(c.user)},
                           {"epoch", c.epoch},
                           {"used", c.used.Decimal()},
                           {"total", c.total.Decimal()},
                           {"signature", SignatureText(c.signature)}});
}

Result<chain::Charge> ChargeFromJson(const Json& json) {
  TT_RETURN_IF_ERROR(ExpectMembers(json, {"user", "epoch", "used", "total", "signature"}, "charge"));
  chain::Charge c;
  c.user = TT_TRY(GetHex<20>(json, "user"));
  c.epoch = static_cast<uint32_t>(TT_TRY(GetBounded(json, "epoch", UINT32_MAX)));
  c.used = TT_TRY(GetWei(json, "used"));
  c.total = TT_TRY(GetWei(json, "total"));
  c.signature = TT_TRY(GetSignature(json, "signature"));
  return c;
}

Json ReceiptDocument::ToJson() const {
  return Json::MakeObject({{"receipt", ReceiptJson(receipt)},
                           {"signature", SignatureText(signature)},
                           {"transcript", transcript.ToJson()},
                           {"work", ListJson(work, WorkJson)},
                           {"parts", ListJson(parts, PartJson)}});
}

Result<ReceiptDocument> ReceiptDocument::FromJson(const Json& json) {
  TT_RETURN_IF_ERROR(
      ExpectMembers(json, {"receipt", "signature", "transcript", "work", "parts"}, "receipt document"));
  ReceiptDocument d;
  d.receipt = TT_TRY(ReceiptFromJson(*TT_TRY(json.GetObject("receipt"))));
  d.signature = TT_TRY(GetSignature(json, "signature"));
  d.transcript = TT_TRY(Transcript::FromJson(*TT_TRY(json.GetObject("transcript"))));
  d.work = TT_TRY(ListFromJson<chain::Work>(json, "work", kMaxPlanNodes, WorkFromJson));
  d.parts = TT_TRY(ListFromJson<chain::Part>(json, "parts", kMaxPlanNodes, PartFromJson));
  return d;
}

}  // namespace teetee::protocol
