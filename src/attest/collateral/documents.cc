// TCB info and QE identity (Intel PCS v4): JSON to fields.
#include <algorithm>
#include <tuple>

#include "attest/collateral/collateral.h"
#include "attest/collateral/iso_time.h"
#include "base/json.h"

namespace teetee::attest {
namespace {

constexpr size_t kMaxLevels = 128;
constexpr size_t kMaxModules = 64;
constexpr size_t kMaxAdvisories = 256;
constexpr size_t kMaxAdvisoryText = 64;

Error Bad(std::string_view what) { return Error(Code::kInvalidArgument, std::string(what)); }

template <size_t N>
Result<ByteArray<N>> GetHex(const Json& json, std::string_view key) {
  std::string text = TT_TRY(json.GetString(key));
  auto bytes = FromHexFixed<N>(text);
  if (!bytes) return std::move(bytes).error().Context("field '" + std::string(key) + "'");
  return bytes;
}

Result<uint16_t> GetUint16(const Json& json, std::string_view key) {
  uint64_t value = TT_TRY(json.GetUint64(key));
  if (value > 0xffff) return Bad("field '" + std::string(key) + "' is too large");
  return static_cast<uint16_t>(value);
}

Result<crypto::Validity> GetDates(const Json& json) {
  std::string issue = TT_TRY(json.GetString("issueDate"));
  std::string next = TT_TRY(json.GetString("nextUpdate"));
  crypto::Validity out;
  out.not_before = TT_TRY(ParseIsoTime(issue));
  out.not_after = TT_TRY(ParseIsoTime(next));
  return out;
}

Result<ByteArray<16>> GetComponents(const Json& tcb, std::string_view key) {
  const Json* array = TT_TRY(tcb.GetArray(key));
  if (array->as_array().size() != 16) return Bad("component SVNs are not 16");
  ByteArray<16> out;
  for (size_t i = 0; i < out.size(); ++i) {
    uint64_t svn = TT_TRY(array->as_array()[i].GetUint64("svn"));
    if (svn > 0xff) return Bad("component SVN is too large");
    out[i] = static_cast<uint8_t>(svn);
  }
  return out;
}

bool IsAdvisoryId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxAdvisoryText &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Status ReadAdvisories(const Json& json, TcbLevel* level) {
  const Json* ids = json.Find("advisoryIDs");
  if (ids == nullptr) return Ok{};
  if (!ids->is_array() || ids->as_array().size() > kMaxAdvisories) return Bad("bad advisory list");
  for (const Json& id : ids->as_array()) {
    if (!id.is_string() || !IsAdvisoryId(id.as_string())) return Bad("bad advisory id");
    level->advisories.push_back(id.as_string());
  }
  return Ok{};
}

// Status and advisories, which every kind of level has.
Result<TcbLevel> ReadLevel(const Json& json) {
  TcbLevel level;
  std::string name = TT_TRY(json.GetString("tcbStatus"));
  auto status = TcbStatusFromName(name);
  bool relaunch = status == TcbStatus::kTdRelaunchAdvised ||
                  status == TcbStatus::kTdRelaunchAdvisedConfigurationNeeded;
  if (!status || relaunch) return Bad("unknown TCB status");
  level.status = *status;
  TT_RETURN_IF_ERROR(ReadAdvisories(json, &level));
  return level;
}

Result<const Json*> GetLevels(const Json& json) {
  const Json* levels = TT_TRY(json.GetArray("tcbLevels"));
  if (levels->as_array().size() > kMaxLevels) return Bad("too many TCB levels");
  return levels;
}

// Levels of a module or a QE: one security version each.
Result<std::vector<TcbLevel>> ReadIsvLevels(const Json& json) {
  const Json* levels = TT_TRY(GetLevels(json));
  std::vector<TcbLevel> out;
  for (const Json& item : levels->as_array()) {
    TcbLevel level = TT_TRY(ReadLevel(item));
    const Json* tcb = TT_TRY(item.GetObject("tcb"));
    level.isv_svn = TT_TRY(GetUint16(*tcb, "isvsvn"));
    out.push_back(std::move(level));
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.isv_svn > b.isv_svn; });
  return out;
}

Result<std::vector<TcbLevel>> ReadPlatformLevels(const Json& json, bool tdx) {
  const Json* levels = TT_TRY(GetLevels(json));
  std::vector<TcbLevel> out;
  for (const Json& item : levels->as_array()) {
    TcbLevel level = TT_TRY(ReadLevel(item));
    const Json* tcb = TT_TRY(item.GetObject("tcb"));
    level.sgx_components = TT_TRY(GetComponents(*tcb, "sgxtcbcomponents"));
    level.pce_svn = TT_TRY(GetUint16(*tcb, "pcesvn"));
    if (tdx) level.tdx_components = TT_TRY(GetComponents(*tcb, "tdxtcbcomponents"));
    out.push_back(std::move(level));
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
    return std::tie(a.sgx_components, a.pce_svn, a.tdx_components) >
           std::tie(b.sgx_components, b.pce_svn, b.tdx_components);
  });
  return out;
}

Result<ModuleIdentity> ReadModule(const Json& json) {
  ModuleIdentity out;
  out.mr_signer = TT_TRY(GetHex<48>(json, "mrsigner"));
  out.attributes = TT_TRY(GetHex<8>(json, "attributes"));
  out.attributes_mask = TT_TRY(GetHex<8>(json, "attributesMask"));
  return out;
}

Status ReadModules(const Json& json, TcbInfo* out) {
  const Json* module = TT_TRY(json.GetObject("tdxModule"));
  out->module = TT_TRY(ReadModule(*module));
  const Json* identities = json.Find("tdxModuleIdentities");
  if (identities == nullptr) return Ok{};  // TCB info from before module version 1
  if (!identities->is_array() || identities->as_array().size() > kMaxModules) {
    return Bad("bad list of module identities");
  }
  for (const Json& item : identities->as_array()) {
    ModuleIdentity identity = TT_TRY(ReadModule(item));
    identity.id = TT_TRY(item.GetString("id"));
    identity.levels = TT_TRY(ReadIsvLevels(item));
    out->module_identities.push_back(std::move(identity));
  }
  return Ok{};
}

Result<Json> ParseDocument(std::string_view text) {
  Json json = TT_TRY(Json::Parse(text, JsonLimits{kMaxSignedDocument, 12}));
  if (!json.is_object()) return Bad("no JSON object");
  return json;
}

}  // namespace

Result<TcbInfo> ParseTcbInfo(std::string_view text) {
  Json json = TT_TRY(ParseDocument(text));
  TcbInfo out;
  out.id = TT_TRY(json.GetString("id"));
  bool tdx = out.id == "TDX";
  if (!tdx && out.id != "SGX") return Bad("unknown id");
  if (TT_TRY(json.GetUint64("version")) != 3) return Bad("unknown version");
  if (TT_TRY(json.GetUint64("tcbType")) != 0) return Bad("unknown tcbType");
  out.dates = TT_TRY(GetDates(json));
  out.fmspc = TT_TRY(GetHex<6>(json, "fmspc"));
  out.pce_id = TT_TRY(GetHex<2>(json, "pceId"));
  out.evaluation = TT_TRY(json.GetUint64("tcbEvaluationDataNumber"));
  if (tdx) TT_RETURN_IF_ERROR(ReadModules(json, &out));
  out.levels = TT_TRY(ReadPlatformLevels(json, tdx));
  return out;
}

Result<QeIdentity> ParseQeIdentity(std::string_view text) {
  Json json = TT_TRY(ParseDocument(text));
  QeIdentity out;
  out.id = TT_TRY(json.GetString("id"));
  if (out.id != "TD_QE" && out.id != "QE") return Bad("unknown id");
  uint64_t version = TT_TRY(json.GetUint64("version"));
  if (version != 2 && !(version == 3 && out.id == "TD_QE")) return Bad("unknown version");
  out.dates = TT_TRY(GetDates(json));
  out.misc_select = TT_TRY(GetHex<4>(json, "miscselect"));
  out.misc_select_mask = TT_TRY(GetHex<4>(json, "miscselectMask"));
  out.attributes = TT_TRY(GetHex<16>(json, "attributes"));
  out.attributes_mask = TT_TRY(GetHex<16>(json, "attributesMask"));
  out.mr_signer = TT_TRY(GetHex<32>(json, "mrsigner"));
  out.isv_prod_id = TT_TRY(GetUint16(json, "isvprodid"));
  out.evaluation = TT_TRY(json.GetUint64("tcbEvaluationDataNumber"));
  out.levels = TT_TRY(ReadIsvLevels(json));
  return out;
}

}  // namespace teetee::attest
