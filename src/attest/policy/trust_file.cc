#include "attest/policy/trust_file.h"

#include <algorithm>

#include "attest/check.h"
#include "base/file.h"
#include "crypto/hash.h"
#include "crypto/x509.h"

namespace teetee::attest {
namespace {

constexpr size_t kMaxList = 256;
constexpr size_t kMaxName = 128;
constexpr uint64_t kDevelopmentChain = 31337;

constexpr std::string_view kStatusNames[] = {"UpToDate",
                                             "SWHardeningNeeded",
                                             "ConfigurationNeeded",
                                             "ConfigurationAndSWHardeningNeeded",
                                             "OutOfDate",
                                             "OutOfDateConfigurationNeeded",
                                             "TDRelaunchAdvised",
                                             "TDRelaunchAdvisedConfigurationNeeded",
                                             "Revoked"};

Error Bad(std::string_view what) { return Error(Code::kInvalidArgument, std::string(what)); }

Status CheckMembers(const Json& json, std::initializer_list<std::string_view> known) {
  if (!json.is_object()) return Bad("no JSON object");
  for (const auto& [key, value] : json.as_object()) {
    if (std::find(known.begin(), known.end(), key) == known.end()) return Bad("unknown member");
  }
  return Ok{};
}

template <size_t N>
Result<ByteArray<N>> GetHex(const Json& json, std::string_view key) {
  std::string text = TT_TRY(json.GetString(key));
  auto bytes = FromHexFixed<N>(text);
  if (!bytes) return std::move(bytes).error().Context("field '" + std::string(key) + "'");
  return bytes;
}

Result<const Json*> GetList(const Json& json, std::string_view key) {
  const Json* list = TT_TRY(json.GetArray(key));
  if (list->as_array().size() > kMaxList) return Bad("field '" + std::string(key) + "': too long");
  return list;
}

// A PEM certificate, or the SHA-256 of its SubjectPublicKeyInfo in hex.
Result<Hash32> ReadRoot(const Json& json) {
  if (!json.is_string()) return Bad("field 'roots': not a string");
  if (!json.as_string().starts_with("-----BEGIN")) return FromHexFixed<32>(json.as_string());
  crypto::Certificate root = TT_TRY(crypto::Certificate::FromPem(json.as_string()));
  return root.spki_hash();
}

Result<Measurement> ReadMeasurement(const Json& json) {
  TT_RETURN_IF_ERROR(CheckMembers(json, {"name", "mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"}));
  Measurement out;
  out.name = TT_TRY(json.GetString("name"));
  if (out.name.empty() || out.name.size() > kMaxName) return Bad("field 'name': empty or too long");
  out.mrtd = TT_TRY(GetHex<48>(json, "mrtd"));
  for (size_t i = 0; i < 4; ++i) {
    std::string key = "rtmr" + std::to_string(i);
    if (json.Find(key) != nullptr) out.rtmr[i] = TT_TRY(GetHex<48>(json, key));
  }
  return out;
}

Json MeasurementJson(const Measurement& m) {
  Json out = Json::MakeObject({{"name", m.name}, {"mrtd", ToHex(m.mrtd)}});
  for (size_t i = 0; i < 4; ++i) {
    if (m.rtmr[i]) out.Set("rtmr" + std::to_string(i), ToHex(*m.rtmr[i]));
  }
  return out;
}

template <class T>
void SortUnique(std::vector<T>* list) {
  std::sort(list->begin(), list->end());
  list->erase(std::unique(list->begin(), list->end()), list->end());
}

Result<EvidenceClass> ReadClass(const Json& json) {
  std::string name = TT_TRY(json.GetString("class"));
  if (name == "simulated") return EvidenceClass::kSimulated;
  if (name == "production") return EvidenceClass::kProduction;
  return Bad("field 'class': neither simulated nor production");
}

Result<std::vector<TcbStatus>> ReadAccepted(const Json& json) {
  if (json.Find("accepted_tcb") == nullptr) return std::vector<TcbStatus>{TcbStatus::kUpToDate};
  const Json* list = TT_TRY(GetList(json, "accepted_tcb"));
  std::vector<TcbStatus> out;
  for (const Json& item : list->as_array()) {
    auto status = item.is_string() ? TcbStatusFromName(item.as_string()) : std::nullopt;
    if (!status) return Bad("field 'accepted_tcb': unknown status");
    if (*status == TcbStatus::kRevoked)
      return Bad("field 'accepted_tcb': Revoked is never accepted");
    out.push_back(*status);
  }
  SortUnique(&out);
  return out;
}

Result<std::map<std::string, Hash32>> ReadModels(const Json& json) {
  const Json* models = TT_TRY(json.GetObject("models"));
  if (models->as_object().size() > kMaxList) return Bad("field 'models': too long");
  std::map<std::string, Hash32> out;
  for (const auto& [name, id] : models->as_object()) {
    if (name.empty() || name.size() > kMaxName || !id.is_string())
      return Bad("field 'models': bad entry");
    out[name] = TT_TRY(FromHexFixed<32>(id.as_string()));
  }
  return out;
}

}  // namespace

// Of the certificate "Intel SGX Root CA" (2018 to 2049). Pinned by its key: SHA-256 of the
// SubjectPublicKeyInfo.
const Hash32 kIntelRootSpkiHash = {0xa0, 0xaf, 0x03, 0x12, 0x89, 0xf5, 0xd5, 0xd4, 0x13, 0x2f, 0x91,
                                   0x86, 0x06, 0x8a, 0x7f, 0xc1, 0x36, 0x28, 0x63, 0x3b, 0xa2, 0x35,
                                   0x77, 0x74, 0x72, 0xe2, 0x9b, 0x6b, 0x6c, 0x67, 0xa4, 0x9e};

std::string_view EvidenceClassName(EvidenceClass c) {
  return c == EvidenceClass::kSimulated ? "simulated" : "production";
}

std::string_view TcbStatusName(TcbStatus status) {
  return kStatusNames[static_cast<size_t>(status)];
}

std::optional<TcbStatus> TcbStatusFromName(std::string_view name) {
  for (size_t i = 0; i < std::size(kStatusNames); ++i) {
    if (kStatusNames[i] == name) return static_cast<TcbStatus>(i);
  }
  return std::nullopt;
}

Status TrustFile::Read(const Json& json) {
  TT_RETURN_IF_ERROR(
      CheckMembers(json, {"class", "chain_id", "registry", "ledger", "roots", "measurements",
                          "models", "accepted_tcb", "min_tcb_evaluation"}));
  class_ = TT_TRY(ReadClass(json));
  chain_id_ = TT_TRY(json.GetUint64("chain_id"));
  registry_ = TT_TRY(GetHex<20>(json, "registry"));
  ledger_ = TT_TRY(GetHex<20>(json, "ledger"));
  const Json* roots = TT_TRY(GetList(json, "roots"));
  for (const Json& item : roots->as_array()) roots_.push_back(TT_TRY(ReadRoot(item)));
  SortUnique(&roots_);
  const Json* measurements = TT_TRY(GetList(json, "measurements"));
  for (const Json& item : measurements->as_array()) {
    measurements_.push_back(TT_TRY(ReadMeasurement(item)));
  }
  std::sort(measurements_.begin(), measurements_.end(), [](const auto& a, const auto& b) {
    return MeasurementJson(a).Canonical() < MeasurementJson(b).Canonical();
  });
  models_ = TT_TRY(ReadModels(json));
  accepted_tcb_ = TT_TRY(ReadAccepted(json));
  if (json.Find("min_tcb_evaluation") != nullptr) {
    min_tcb_evaluation_ = TT_TRY(json.GetUint64("min_tcb_evaluation"));
  }
  return CheckClass();
}

Status TrustFile::CheckClass() const {
  if (class_ == EvidenceClass::kSimulated && chain_id_ != kDevelopmentChain) {
    return Refuse(check::kEvidenceClass, "class simulated is for the development chain 31337 only");
  }
  for (const Hash32& root : roots_) {
    bool vendor = root == kIntelRootSpkiHash;
    if (class_ == EvidenceClass::kProduction && !vendor) {
      return Refuse(check::kEvidenceClass, "class production lists a root that is no vendor's");
    }
    if (class_ == EvidenceClass::kSimulated && vendor) {
      return Refuse(check::kEvidenceClass, "class simulated lists a vendor's root");
    }
  }
  return Ok{};
}

Result<TrustFile> TrustFile::Parse(std::string_view text) {
  Json json = TT_TRY(Json::Parse(text));
  TrustFile out;
  if (auto status = out.Read(json); !status) return std::move(status).error().Context("trust file");
  return out;
}

Result<TrustFile> TrustFile::Load(const std::string& path) {
  Bytes text = TT_TRY(ReadFile(path, 1u << 20));
  auto out = Parse(AsText(text));
  if (!out) return std::move(out).error().Context(path);
  return out;
}

Result<Hash32> TrustFile::ModelId(std::string_view name) const {
  auto it = models_.find(std::string(name));
  if (it == models_.end()) return Error(Code::kNotFound, "the trust file does not know this model");
  return it->second;
}

Json TrustFile::ToJson() const {
  Json out = Json::MakeObject({{"class", EvidenceClassName(class_)},
                               {"chain_id", chain_id_},
                               {"registry", ToHex0x(registry_)},
                               {"ledger", ToHex0x(ledger_)},
                               {"min_tcb_evaluation", min_tcb_evaluation_}});
  Json roots = Json::MakeArray();
  for (const Hash32& root : roots_) roots.Push(ToHex(root));
  Json measurements = Json::MakeArray();
  for (const Measurement& m : measurements_) measurements.Push(MeasurementJson(m));
  Json accepted = Json::MakeArray();
  for (TcbStatus status : accepted_tcb_) accepted.Push(TcbStatusName(status));
  Json models = Json::MakeObject();
  for (const auto& [name, id] : models_) models.Set(name, ToHex0x(id));
  return out.Set("roots", roots)
      .Set("measurements", measurements)
      .Set("accepted_tcb", accepted)
      .Set("models", models);
}

Hash32 TrustFile::PolicyHash() const {
  Json json = ToJson();
  std::erase_if(json.as_object(), [](const auto& member) { return member.first == "models"; });
  return crypto::Sha256(AsBytes(json.Canonical()));
}

}  // namespace teetee::attest
