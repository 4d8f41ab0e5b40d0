#include "gateway/directory.h"

#include <algorithm>
#include <chrono>

#include "crypto/hash.h"
#include "net/url.h"

namespace teetee::gateway {
namespace {

constexpr int kFailuresToUnreachable = 2;

bool IsUsableName(std::string_view name) {
  if (name.empty() || name.size() > kMaxModelName || name.starts_with("0x")) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return c > 0x20 && c < 0x7f && c != '/' && c != '"' && c != '%';
  });
}

bool IsEvidenceClass(std::string_view text) {
  return text.size() <= 16 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

}  // namespace

void Directory::Clear() {
  models_.clear();
  order_.clear();
  by_family_.clear();
  nodes_.clear();
}

uint64_t Directory::Now() const {
  const auto clock = std::chrono::system_clock::now().time_since_epoch();
  return std::max(
      block_time_,
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(clock).count()));
}

Status Directory::Apply(const chain::LogEntry& log) {
  auto event = TT_TRY(chain::DecodeEvent(log));
  if (!event) return Ok{};
  if (auto* added = std::get_if<chain::ModelAdded>(&*event)) return Take(*added);
  if (auto* joined = std::get_if<chain::NodeJoined>(&*event)) return Take(*joined);
  if (auto* left = std::get_if<chain::NodeLeft>(&*event)) {
    if (auto node = nodes_.find(left->key); node != nodes_.end()) node->second.has_left = true;
  }
  if (auto* moved = std::get_if<chain::UrlSet>(&*event)) {
    if (auto node = nodes_.find(moved->key); node != nodes_.end()) node->second.url = moved->url;
  }
  return Ok{};
}

Status Directory::Take(const chain::ModelAdded& event) {
  TT_RETURN_IF_ERROR(chain::CheckModel(event.params));
  if (chain::ModelId(event.params) != event.model ||
      chain::FamilyOf(event.params) != event.family) {
    return Error(Code::kDataLoss, "ModelAdded: the parameters do not hash to the model's id");
  }
  auto [at, is_new] =
      models_.try_emplace(event.model, ModelRecord{event.model, event.family, event.params});
  if (!is_new) return Ok{};
  order_.push_back(event.model);
  by_family_.emplace(event.family, event.model);
  return Ok{};
}

Status Directory::Take(const chain::NodeJoined& event) {
  const ModelRecord* model = FindModel(event.model);
  if (model == nullptr || model->family != event.family ||
      event.slot >= model->params.slots.size()) {
    return Error(Code::kDataLoss, "NodeJoined: no such model, family or slot");
  }
  nodes_[event.key] = {event.key,   event.host, event.family, event.slot,
                       event.quote, event.url,  event.until,  false};
  return Ok{};
}

Result<Hash32> Directory::AddManifest(std::string text) {
  const Hash32 hash = crypto::Sha256(AsBytes(text));
  const bool named = std::any_of(models_.begin(), models_.end(),
                                 [&](auto& m) { return m.second.params.manifest == hash; });
  if (!named) return Error(Code::kDataLoss, "manifest: its hash is not that of a model");
  const Json json = TT_TRY(Json::Parse(text, {.max_bytes = kMaxManifest}));
  std::string name = TT_TRY(json.GetString("name"));
  if (!IsUsableName(name))
    return Error(Code::kInvalidArgument,
                 "manifest: the name is empty, too long or not printable ASCII");
  manifests_[hash] = {std::move(text), std::move(name)};
  return hash;
}

void Directory::NoteProbe(const Address& key, std::optional<std::string> evidence_class) {
  Probe& probe = probes_[key];
  if (evidence_class) {
    probe = {true, 0, IsEvidenceClass(*evidence_class) ? *std::move(evidence_class) : ""};
  } else if (++probe.failures >= kFailuresToUnreachable) {
    probe.reachable = false;
  }
}

std::vector<const ModelRecord*> Directory::Models() const {
  std::vector<const ModelRecord*> out;
  for (const Hash32& id : order_) out.push_back(&models_.at(id));
  return out;
}

std::vector<const ModelRecord*> Directory::ListedModels() const {
  std::vector<const ModelRecord*> out;
  for (const ModelRecord* model : Models()) {
    if (ManifestOf(*model) != nullptr) out.push_back(model);
  }
  return out;
}

const ModelRecord* Directory::FindModel(const Hash32& id) const {
  auto found = models_.find(id);
  return found == models_.end() ? nullptr : &found->second;
}

const ModelRecord* Directory::FindModel(std::string_view id_or_name) const {
  if (id_or_name.starts_with("0x")) {
    auto id = FromHexFixed<32>(id_or_name);
    return id ? FindModel(*id) : nullptr;
  }
  for (const Hash32& id : order_) {
    const ModelRecord& model = models_.at(id);
    const Manifest* manifest = ManifestOf(model);
    if (manifest != nullptr && manifest->name == id_or_name) return &model;
  }
  return nullptr;
}

const Manifest* Directory::ManifestOf(const ModelRecord& model) const {
  auto found = manifests_.find(model.params.manifest);
  return found == manifests_.end() ? nullptr : &found->second;
}

std::string Directory::PublicName(const ModelRecord& model) const {
  const Manifest* manifest = ManifestOf(model);
  if (manifest != nullptr && FindModel(manifest->name) == &model) return manifest->name;
  return ToHex0x(model.id);
}

std::vector<const ModelRecord*> Directory::ModelsOf(const chain::Family& family) const {
  std::vector<const ModelRecord*> out;
  auto [first, last] = by_family_.equal_range(family);
  for (auto it = first; it != last; ++it) out.push_back(&models_.at(it->second));
  return out;
}

std::vector<const NodeRecord*> Directory::NodesOf(const chain::Family& family) const {
  std::vector<const NodeRecord*> out;
  for (const auto& [key, node] : nodes_) {
    if (node.family == family && !node.has_left && HasGrace(node)) out.push_back(&node);
  }
  std::stable_sort(out.begin(), out.end(), [](auto* a, auto* b) { return a->slot < b->slot; });
  return out;
}

const NodeRecord* Directory::FindNode(const Address& key) const {
  auto found = nodes_.find(key);
  return found == nodes_.end() ? nullptr : &found->second;
}

bool Directory::IsReachable(const Address& key) const {
  auto found = probes_.find(key);
  return found != probes_.end() && found->second.reachable;
}

bool Directory::IsLive(const ModelRecord& model) const {
  std::vector<bool> live(model.params.slots.size());
  for (const NodeRecord* node : NodesOf(model.family)) {
    if (node->slot < live.size() && IsLive(*node)) live[node->slot] = true;
  }
  return std::all_of(live.begin(), live.end(), [](bool b) { return b; });
}

bool Directory::IsSimulated() const {
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [&](auto& node) { return EvidenceClass(node.first) == "simulated"; });
}

std::string_view Directory::OverallClass() const {
  if (IsSimulated()) return "simulated";
  const bool known = std::any_of(nodes_.begin(), nodes_.end(),
                                 [&](auto& node) { return !EvidenceClass(node.first).empty(); });
  return known ? "production" : "unknown";
}

std::string Directory::EvidenceClass(const Address& key) const {
  auto found = probes_.find(key);
  return found == probes_.end() ? "" : found->second.evidence_class;
}

std::optional<Hash32> Directory::WantedManifest(const NodeRecord& node) const {
  auto model = by_family_.find(node.family);
  if (model == by_family_.end()) return std::nullopt;
  const Hash32& hash = models_.at(model->second).params.manifest;
  return manifests_.count(hash) != 0 ? std::nullopt : std::optional(hash);
}

Result<std::string> NodeBaseUrl(std::string_view text) {
  const net::Url url = TT_TRY(net::ParseUrl(text));
  if (url.scheme != "http")
    return Error(Code::kUnimplemented, "node URL: https is not supported by this gateway yet");
  if (url.target.find('?') != std::string::npos)
    return Error(Code::kInvalidArgument, "node URL: it has a query");
  std::string out = url.scheme + "://" + url.HostHeader() + url.target;
  while (out.ends_with('/')) out.pop_back();
  return out;
}

}  // namespace teetee::gateway
