#include "client/bundle.h"

#include "base/file.h"
#include "crypto/hash.h"
#include "protocol/fields.h"
#include "protocol/model_params.h"
#include "protocol/payment.h"

namespace teetee::client {
namespace {

Json EvidenceJson(const BundleEvidence& e) {
  return Json::MakeObject({{"slot", e.slot}, {"key", ToHex0x(e.key)}, {"evidence", ToBase64(e.evidence)}, {"collateral", e.collateral}});
}

Result<BundleEvidence> EvidenceFromJson(const Json& json) {
  BundleEvidence e;
  e.slot = static_cast<uint32_t>(TT_TRY(protocol::GetBounded(json, "slot", chain::kMaxSlots - 1)));
  e.key = TT_TRY(protocol::GetHex<20>(json, "key"));
  e.evidence = TT_TRY(FromBase64(TT_TRY(json.GetString("evidence"))));
  e.collateral = *TT_TRY(json.GetObject("collateral"));
  return e;
}

Json SettlementJson(const SettledReceipt& s) {
  Json proof = Json::MakeArray();
  for (const Hash32& hash : s.proof) proof.Push(ToHex0x(hash));
  return Json::MakeObject({{"seq", s.seq}, {"root", ToHex0x(s.root)}, {"proof", std::move(proof)}, {"tx", s.tx}});
}

Result<SettledReceipt> SettlementFromJson(const Json& json) {
  SettledReceipt s;
  s.mined = true;
  s.seq = TT_TRY(json.GetUint64("seq"));
  s.root = TT_TRY(protocol::GetHex<32>(json, "root"));
  for (const Json& hash : TT_TRY(json.GetArray("proof"))->as_array()) {
    if (!hash.is_string() || s.proof.size() >= 64) return Error(Code::kInvalidArgument, "settlement: bad proof");
    s.proof.push_back(TT_TRY(FromHexFixed<32>(hash.as_string())));
  }
  s.tx = TT_TRY(json.GetString("tx"));
  return s;
}

Result<std::vector<std::string>> Texts(const Json& json, std::string_view key) {
  std::vector<std::string> out;
  for (const Json& text : TT_TRY(json.GetArray(key))->as_array()) {
    if (!text.is_string()) return Error(Code::kInvalidArgument, "field '" + std::string(key) + "': expected texts");
    out.push_back(text.as_string());
  }
  return out;
}

// Over the canonical form of all other members.
Hash32 Digest(const Json& bundle) {
  Json rest = Json::MakeObject();
  for (const auto& [key, member] : bundle.as_object()) {
    if (key != "sha256") rest.Set(key, member);
  }
  return crypto::Sha256(AsBytes(rest.Canonical()));
}

}  // namespace

Json Bundle::ToJson() const {
  Json list = Json::MakeArray();
  for (const BundleEvidence& e : evidence) list.Push(EvidenceJson(e));
  Json texts = Json::MakeArray();
  for (const std::string& text : outputs) texts.Push(text);
  Json out = Json::MakeObject({{"v", 1},
                           {"kind", "teetee-bundle"},
                           {"receipt", receipt.ToJson()},
                           {"secret", ToHex(secret.view())},
                           {"body", body},
                           {"outputs", std::move(texts)},
                           {"plan", plan.ToJson()},
                           {"model", Json::MakeObject({{"id", ToHex0x(model)}, {"params", protocol::ModelParamsJson(params)}})},
                           {"manifest", manifest},
                           {"evidence", std::move(list)},
                           {"trust", trust},
                           {"checked_at", checked_at},
                           {"query", query ? protocol::QueryJson(*query) : Json()},
                           {"settlement", settlement ? SettlementJson(*settlement) : Json()}});
  const Hash32 digest = Digest(out);
  return out.Set("sha256", ToHex(digest));
}

Result<Bundle> Bundle::FromJson(const Json& json) {
  auto kind = json.GetString("kind");
  if (!kind || *kind != "teetee-bundle" || TT_TRY(json.GetUint64("v")) != 1) {
    return Error(Code::kInvalidArgument, "not a receipt bundle of version 1");
  }
  Bundle b;
  b.intact = TT_TRY(protocol::GetHex<32>(json, "sha256")) == Digest(json);
  b.receipt = TT_TRY(protocol::ReceiptDocument::FromJson(*TT_TRY(json.GetObject("receipt"))));
  b.secret = Secret<32>(TT_TRY(protocol::GetHex<32>(json, "secret")));
  b.body = TT_TRY(json.GetString("body"));
  b.outputs = TT_TRY(Texts(json, "outputs"));
  b.plan = TT_TRY(protocol::Plan::FromJson(*TT_TRY(json.GetObject("plan"))));
  const Json& model = *TT_TRY(json.GetObject("model"));
  b.model = TT_TRY(protocol::GetHex<32>(model, "id"));
  b.params = TT_TRY(protocol::ModelParamsFromJson(*TT_TRY(model.GetObject("params"))));
  b.manifest = TT_TRY(json.GetString("manifest"));
  for (const Json& item : TT_TRY(json.GetArray("evidence"))->as_array()) {
    if (b.evidence.size() >= protocol::kMaxPlanNodes) return Error(Code::kInvalidArgument, "evidence: too many nodes");
    b.evidence.push_back(TT_TRY(EvidenceFromJson(item)));
  }
  b.trust = TT_TRY(json.GetString("trust"));
  b.checked_at = TT_TRY(json.GetInt64("checked_at"));
  const Json* query = TT_TRY(json.Get("query"));
  if (!query->is_null()) b.query = TT_TRY(protocol::QueryFromJson(*query));
  const Json* settlement = TT_TRY(json.Get("settlement"));
  if (!settlement->is_null()) b.settlement = TT_TRY(SettlementFromJson(*settlement));
  return b;
}

Result<Bundle> Bundle::Load(const std::string& path) {
  Bytes bytes = TT_TRY(ReadFile(path, kMaxBundle));
  auto bundle = FromJson(TT_TRY(Json::Parse(AsText(bytes), {.max_bytes = kMaxBundle})));
  if (!bundle) return std::move(bundle).error().Context(path);
  return bundle;
}

Status Bundle::Save(const std::string& path) const { return WriteFileAtomic(path, AsBytes(ToJson().DumpPretty()), 0600); }

}  // namespace teetee::client
