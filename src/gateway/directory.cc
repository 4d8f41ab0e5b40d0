#include "gateway/directory.h"

#include <algorithm>
#include <chrono>

#include "crypto/hash.h"
#include "manifest/manifest.h"

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

// For people who choose; clients judge a manifest themselves.
Manifest WithFacts(std::string text, std::string name) {
  Manifest out{std::move(text), std::move(name), 0, "", {}};
  auto parsed = manifest::Manifest::Parse(AsBytes(out.text));
  if (!parsed) return out;
  std::map<std::string, uint64_t> bytes_of;
  for (const manifest::Tensor& tensor : parsed->tensors) {
    uint64_t count = 1;
    for (uint64_t dim : tensor.dims) count *= dim;
    out.parameters += count;
    bytes_of[tensor.dtype] += tensor.bytes;
  }
  const auto most = std::max_element(bytes_of.begin(), bytes_of.end(),
                                     [](auto& a, auto& b) { return a.second < b.second; });
  if (most != bytes_of.end()) out.quantisation = most->first;
  for (const manifest::Slot& slot : parsed->slots)
    out.slots.push_back({slot.first_block, slot.block_count, slot.file_bytes});
  return out;
}

}  // namespace

uint64_t ClockNow() {
  const auto clock = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(clock).count());
}

void Directory::Clear() {
  models_.clear();
  order_.clear();
  by_family_.clear();
  nodes_.clear();
  events_.clear();
  lines_.clear();
}

uint64_t Directory::Now() const { return std::max(block_time_, ClockNow()); }

Status Directory::Apply(const chain::LogEntry& log) {
  auto event = TT_TRY(chain::DecodeEvent(log));
  if (!event) return Ok{};
  if (auto* added = std::get_if<chain::ModelAdded>(&*event)) return Take(*added);
  if (auto* joined = std::get_if<chain::NodeJoined>(&*event)) {
    const NodeRecord* known = FindNode(joined->key);
    const bool renews = known != nullptr && !known->has_left;
    TT_RETURN_IF_ERROR(Take(*joined));
    Note(joined->key, renews ? NodeEventKind::kRenewed : NodeEventKind::kJoined, log);
  }
  if (auto* left = std::get_if<chain::NodeLeft>(&*event)) {
    if (auto node = nodes_.find(left->key); node != nodes_.end()) node->second.has_left = true;
    Note(left->key, NodeEventKind::kLeft, log);
  }
  if (auto* moved = std::get_if<chain::UrlSet>(&*event)) {
    if (auto node = nodes_.find(moved->key); node != nodes_.end()) node->second.url = moved->url;
    Note(moved->key, NodeEventKind::kUrl, log);
  }
  return Ok{};
}

void Directory::Note(const Address& key, NodeEventKind what, const chain::LogEntry& log) {
  if (nodes_.count(key) == 0) return;
  std::vector<NodeEvent>& events = events_[key];
  if (events.size() >= kMaxNodeEvents) events.erase(events.begin());
  events.push_back({what, log.block_number, log.tx_hash});
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
  for (const auto& [key, node] : nodes_) {
    if (node.family == event.family && node.slot == 0)
      lines_[chain::LineOf(event.model, key)] = {event.model, key};
  }
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
  if (event.slot == 0) {
    for (const ModelRecord* served : ModelsOf(event.family))
      lines_[chain::LineOf(served->id, event.key)] = {served->id, event.key};
  }
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
  manifests_[hash] = WithFacts(std::move(text), std::move(name));
  return hash;
}

void Directory::NoteProbe(const Address& key, std::optional<std::string> evidence_class,
                          uint64_t sequences) {
  NodeProbe& probe = probes_[key];
  if (evidence_class) {
    probe = {true, 0, IsEvidenceClass(*evidence_class) ? *std::move(evidence_class) : "", sequences,
             ClockNow()};
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

const std::vector<NodeEvent>& Directory::EventsOf(const Address& key) const {
  static const std::vector<NodeEvent> kNone;
  auto found = events_.find(key);
  return found == events_.end() ? kNone : found->second;
}

std::optional<LineRecord> Directory::FindLine(const Hash32& line) const {
  auto found = lines_.find(line);
  return found == lines_.end() ? std::nullopt : std::optional(found->second);
}

const NodeProbe& Directory::ProbeOf(const Address& key) const {
  static const NodeProbe kNever;
  auto found = probes_.find(key);
  return found == probes_.end() ? kNever : found->second;
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

std::optional<Hash32> Directory::WantedManifest(const NodeRecord& node) const {
  auto model = by_family_.find(node.family);
  if (model == by_family_.end()) return std::nullopt;
  const Hash32& hash = models_.at(model->second).params.manifest;
  return manifests_.count(hash) != 0 ? std::nullopt : std::optional(hash);
}

}  // namespace teetee::gateway
