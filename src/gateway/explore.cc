#include "gateway/explore.h"

#include <algorithm>
#include <set>

#include "gateway/answers.h"
#include "net/url.h"

namespace teetee::gateway {
namespace {

constexpr size_t kMaxListed = 100, kDefaultListed = 50;
constexpr size_t kMaxNodes = 1000;
constexpr size_t kMaxMatches = 20;
constexpr size_t kMinPrefix = 2;                   // bytes of an id that a search begins with
constexpr uint64_t kRevenueWindow = 7 * 86'400;    // seconds
constexpr uint64_t kLeastRevenueSpan = 3600;       // seconds: less says nothing about a day

Result<uint64_t> Number(std::string_view query, std::string_view name, uint64_t otherwise) {
  auto text = net::QueryParameter(query, name);
  if (!text) return otherwise;
  const bool digits = !text->empty() && text->size() <= 18 && std::all_of(text->begin(), text->end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return Error(Code::kInvalidArgument, "the query parameter '" + std::string(name) + "' is no number");
  return std::stoull(*text);
}

Result<size_t> Limit(std::string_view query) {
  return static_cast<size_t>(std::clamp<uint64_t>(TT_TRY(Number(query, "limit", kDefaultListed)), 1, kMaxListed));
}

template <size_t N>
Result<std::optional<ByteArray<N>>> Hex(std::string_view query, std::string_view name) {
  auto text = net::QueryParameter(query, name);
  if (!text) return std::optional<ByteArray<N>>();
  auto value = FromHexFixed<N>(*text);
  if (!value) return std::move(value).error().Context("query parameter '" + std::string(name) + "'");
  return std::optional<ByteArray<N>>(*value);
}

Json TextOrNull(std::string_view text) { return text.empty() ? Json() : Json(text); }
Json TimeOrNull(std::optional<uint64_t> time) { return time && *time > 0 ? Json(*time) : Json(); }

std::string_view KindName(NodeEventKind kind) {
  switch (kind) {
    case NodeEventKind::kJoined:
      return "joined";
    case NodeEventKind::kRenewed:
      return "renewed";
    case NodeEventKind::kLeft:
      return "left";
    case NodeEventKind::kUrl:
      return "url";
  }
  return "joined";
}

std::string ClassOr(std::string_view evidence_class) { return evidence_class.empty() ? "unknown" : std::string(evidence_class); }

Json EvidenceItem(const EvidenceNote& note) {
  return Json::MakeObject({{"key", ToHex0x(note.key)}, {"at", note.at}, {"sha256", ToHex(note.sha256)}, {"class", ClassOr(note.evidence_class)}});
}

Json PointItem(const UsagePoint& p) {
  return Json::MakeObject({{"t", p.t},
                           {"requests", p.used.requests},
                           {"tokens_in", p.used.tokens_in},
                           {"tokens_out", p.used.tokens_out},
                           {"busy_seconds", p.used.busy_seconds},
                           {"up", p.probes > 0 ? Json(p.up) : Json()},
                           {"ttft_ms", p.answers > 0 ? Json(p.ttft_ms) : Json()},
                           {"tokens_per_second", p.tokens_per_second > 0 ? Json(p.tokens_per_second) : Json()}});
}

void Match(Json& out, std::string_view kind, std::string id, std::string title) {
  if (out.as_array().size() >= kMaxMatches) return;
  out.Push(Json::MakeObject({{"kind", kind}, {"id", std::move(id)}, {"title", std::move(title)}}));
}

template <size_t N>
bool Begins(const ByteArray<N>& bytes, ByteView prefix) {
  return prefix.size() <= N && std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

std::string LowerCase(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

}  // namespace

std::string Explore::ModelName(const Hash32& id) const {
  const ModelRecord* model = p_.directory.FindModel(id);
  return model == nullptr ? ToHex0x(id) : p_.directory.PublicName(*model);
}

// ---- models

Json Explore::SlotList(const ModelRecord& model) const {
  const Manifest* manifest = p_.directory.ManifestOf(model);
  const auto nodes = p_.directory.NodesOf(model.family);
  Json out = Json::MakeArray();
  for (size_t slot = 0; slot < model.params.slots.size(); ++slot) {
    const bool known = manifest != nullptr && slot < manifest->slots.size();
    const SlotFacts facts = known ? manifest->slots[slot] : SlotFacts{};
    std::set<Address> hosts;
    uint64_t live = 0, joined = 0;
    for (const NodeRecord* node : nodes) {
      if (node->slot != slot || !p_.directory.HasLease(*node)) continue;
      ++joined;
      live += p_.directory.IsLive(*node) ? 1 : 0;
      hosts.insert(node->host);
    }
    Json list = Json::MakeArray();
    for (const Address& host : hosts) list.Push(ToHex0x(host));
    out.Push(Json::MakeObject({{"slot", uint64_t{slot}},
                               {"first_block", known ? Json(facts.first_block) : Json()},
                               {"blocks", known ? Json(facts.blocks) : Json()},
                               {"share", model.params.slots[slot].share},
                               {"bytes", known ? Json(facts.bytes) : Json()},
                               {"live", live},
                               {"joined", joined},
                               {"hosts", std::move(list)}}));
  }
  return out;
}

Json Explore::Model(const ModelRecord& model) const {
  Json item = ModelItem(p_.directory, model);
  const Manifest* manifest = p_.directory.ManifestOf(model);
  Json slots = SlotList(model);
  uint64_t routes = 1;
  for (const Json& slot : slots.as_array()) routes = std::min<uint64_t>(routes * *slot.GetUint64("live"), 1u << 30);
  std::string evidence_class = "unknown";
  for (const NodeRecord* node : p_.directory.NodesOf(model.family)) {
    const std::string& shown = p_.directory.ProbeOf(node->key).evidence_class;
    if (!shown.empty() && evidence_class != "simulated") evidence_class = shown;
  }
  Json speed;
  if (auto seen = p_.history.SpeedOf(model.id, ClockNow()); seen && *seen) {
    speed = Json::MakeObject({{"tokens_per_second", (*seen)->tokens_per_second},
                              {"ttft_ms", (*seen)->ttft_ms},
                              {"samples", (*seen)->samples},
                              {"since", (*seen)->since}});
  }
  item.Find("teetee")
      ->Set("name", manifest == nullptr ? Json() : Json(manifest->name))
      .Set("quantisation", TextOrNull(manifest == nullptr ? "" : manifest->quantisation))
      .Set("parameters", manifest != nullptr && manifest->parameters > 0 ? Json(manifest->parameters) : Json())
      .Set("class", evidence_class)
      .Set("slot_list", std::move(slots))
      .Set("routes", routes)
      .Set("speed", std::move(speed));
  return item;
}

Json Explore::Models() const {
  Json data = Json::MakeArray();
  for (const ModelRecord* model : p_.directory.ListedModels()) data.Push(Model(*model));
  return Json::MakeObject({{"object", "list"}, {"data", std::move(data)}});
}

// ---- nodes

Json Explore::NodeItem(const NodeRecord& node) const {
  Json out = gateway::NodeItem(p_.directory, node);
  Json models = Json::MakeArray();
  for (const ModelRecord* model : p_.directory.ModelsOf(node.family)) models.Push(ToHex0x(model->id));
  return out.Set("models", std::move(models));
}

Result<Json> Explore::Nodes(std::string_view query, uint64_t block) const {
  if (auto name = net::QueryParameter(query, "model")) {
    const ModelRecord* model = p_.directory.FindModel(std::string_view(*name));
    if (model == nullptr) return Error(Code::kNotFound, "no such model: /v1/models lists them");
    return NodeList(p_.directory, *model, block);
  }
  const auto host = TT_TRY(Hex<20>(query, "host"));
  Json nodes = Json::MakeArray();
  for (const auto& [key, node] : p_.directory.nodes()) {
    if (nodes.as_array().size() >= kMaxNodes) break;
    if (!host || node.host == *host) nodes.Push(NodeItem(node));
  }
  return Json::MakeObject({{"nodes", std::move(nodes)}, {"block", block}});
}

Result<Json> Explore::Node(std::string_view text) const {
  const Address key = TT_TRY(crypto::ParseAddress(text));
  const NodeRecord* node = p_.directory.FindNode(key);
  if (node == nullptr) return Error(Code::kNotFound, "the Registry has no node with this key");
  const NodeProbe& probe = p_.directory.ProbeOf(key);
  const auto& events = p_.directory.EventsOf(key);
  std::optional<uint64_t> first;
  if (!events.empty()) first = TT_TRY(p_.store.BlockTime(events.front().block));
  return NodeItem(*node)
      .Set("left", node->has_left)
      .Set("class", ClassOr(probe.evidence_class))
      .Set("sequences", probe.sequences)
      .Set("first_seen", TimeOrNull(first))
      .Set("last_seen", TimeOrNull(probe.last_seen));
}

Result<Json> Explore::Usage(std::string_view text, std::string_view query) const {
  const Address key = TT_TRY(crypto::ParseAddress(text));
  if (p_.directory.FindNode(key) == nullptr) return Error(Code::kNotFound, "the Registry has no node with this key");
  const std::string name = net::QueryParameter(query, "range").value_or("hour");
  const auto range = name == "hour" ? std::optional(Range::kHour) : name == "day" ? std::optional(Range::kDay) : name == "month" ? std::optional(Range::kMonth) : std::nullopt;
  if (!range) return Error(Code::kInvalidArgument, "the query parameter 'range' is none of hour, day, month");
  const auto points = TT_TRY(p_.history.Usage(key, *range, ClockNow()));
  Json list = Json::MakeArray();
  for (const UsagePoint& point : points) list.Push(PointItem(point));
  return Json::MakeObject({{"from", points.front().t}, {"step", ShapeOf(*range).step}, {"points", std::move(list)}});
}

Result<Json> Explore::NodeHistory(std::string_view text) const {
  const Address key = TT_TRY(crypto::ParseAddress(text));
  if (p_.directory.FindNode(key) == nullptr) return Error(Code::kNotFound, "the Registry has no node with this key");
  Json evidence = Json::MakeArray(), events = Json::MakeArray();
  for (const EvidenceNote& note : TT_TRY(p_.history.EvidenceOf(key))) evidence.Push(EvidenceItem(note));
  const auto& happened = p_.directory.EventsOf(key);
  for (auto event = happened.rbegin(); event != happened.rend(); ++event) {
    events.Push(Json::MakeObject({{"at", TimeOrNull(TT_TRY(p_.store.BlockTime(event->block)))},
                                  {"block", event->block},
                                  {"tx", ToHex0x(event->tx)},
                                  {"what", KindName(event->what)}}));
  }
  return Json::MakeObject({{"evidence", std::move(evidence)}, {"events", std::move(events)}});
}

Result<std::string> Explore::EvidenceAnswer(std::string_view key, std::string_view sha256) const {
  const auto answer = TT_TRY(p_.history.EvidenceAnswer(TT_TRY(crypto::ParseAddress(key)), TT_TRY(FromHexFixed<32>(sha256))));
  if (!answer) return Error(Code::kNotFound, "this gateway has no such evidence of this node (it keeps the newest " + std::to_string(History::kMaxEvidence) + ")");
  return *answer;
}

Result<Json> Explore::Evidence(std::string_view query) const {
  Json list = Json::MakeArray();
  for (const EvidenceNote& note : TT_TRY(p_.history.NewestEvidence(TT_TRY(Limit(query))))) list.Push(EvidenceItem(note));
  return Json::MakeObject({{"evidence", std::move(list)}});
}

// ---- receipts and batches

Result<Json> Explore::ReceiptItem(const Hash32& hash) const {
  const auto state = TT_TRY(p_.store.FindReceipt(hash));
  if (!state) return Error(Code::kNotFound, "no head has handed over such a receipt yet");
  const chain::Receipt& r = state->receipt;
  const auto line = p_.directory.FindLine(r.line);
  const bool mined = state->tx.has_value();
  return Json::MakeObject({{"hash", ToHex0x(hash)},
                           {"query", ToHex0x(r.query)},
                           {"line", ToHex0x(r.line)},
                           {"model", line ? Json(ToHex0x(line->model)) : Json()},
                           {"head", line ? Json(ToHex0x(line->head)) : Json()},
                           {"cost", r.cost.Decimal()},
                           {"tokens_in", r.tokens_in},
                           {"tokens_out", r.tokens_out},
                           {"status", mined ? "mined" : "pending"},
                           {"seq", state->strict ? Json() : Json(state->seq)},
                           {"root", state->strict ? Json() : Json(ToHex0x(state->root))},
                           {"tx", mined ? Json(ToHex0x(*state->tx)) : Json()},
                           {"block", mined ? Json(state->block) : Json()},
                           {"at", mined ? TimeOrNull(TT_TRY(p_.store.BlockTime(state->block))) : Json()}});
}

Result<Json> Explore::ReceiptItems(const ReceiptFilter& filter, size_t most, uint64_t* next) const {
  Json list = Json::MakeArray();
  for (const ListedReceipt& listed : TT_TRY(p_.store.Receipts(filter, most))) {
    list.Push(TT_TRY(ReceiptItem(listed.hash)));
    *next = listed.n;
  }
  return list;
}

Result<Json> Explore::Receipts(std::string_view query) const {
  ReceiptFilter filter;
  filter.query = TT_TRY(Hex<32>(query, "query"));
  filter.line = TT_TRY(Hex<32>(query, "line"));
  filter.batch = TT_TRY(Hex<32>(query, "batch"));
  if (net::QueryParameter(query, "after")) filter.before = TT_TRY(Number(query, "after", 0));
  const size_t most = TT_TRY(Limit(query));
  uint64_t next = 0;
  Json list = TT_TRY(ReceiptItems(filter, most, &next));
  const bool more = list.as_array().size() == most;
  return Json::MakeObject({{"receipts", std::move(list)}, {"next", more ? Json(next) : Json()}});
}

Json Explore::BatchItem(const MinedBatch& b) const {
  const auto line = p_.directory.FindLine(b.line);
  auto time = p_.store.BlockTime(b.block);
  return Json::MakeObject({{"line", ToHex0x(b.line)},
                           {"model", line ? Json(ToHex0x(line->model)) : Json()},
                           {"head", line ? Json(ToHex0x(line->head)) : Json()},
                           {"seq", b.seq},
                           {"root", ToHex0x(b.root)},
                           {"count", b.count},
                           {"amount", b.amount.Decimal()},
                           {"tx", ToHex0x(b.tx)},
                           {"block", b.block},
                           {"at", time ? TimeOrNull(*time) : Json()}});
}

Result<Json> Explore::Batches(std::string_view query) const {
  const size_t most = TT_TRY(Limit(query));
  const auto line = TT_TRY(Hex<32>(query, "line"));
  Json list = Json::MakeArray();
  for (const MinedBatch& batch : line ? TT_TRY(p_.store.Batches(*line, most)) : TT_TRY(p_.store.NewestBatches(most))) list.Push(BatchItem(batch));
  return Json::MakeObject({{"batches", std::move(list)}});
}

Result<Json> Explore::Batch(std::string_view text) const {
  const Hash32 root = TT_TRY(FromHexFixed<32>(text));
  const auto found = TT_TRY(p_.store.BatchesByRoot(root));
  if (found.empty()) return Error(Code::kNotFound, "the chain has no batch with this root");
  ReceiptFilter filter;
  filter.batch = root;
  uint64_t next = 0;
  Json receipts = TT_TRY(ReceiptItems(filter, kMaxListed, &next));
  return BatchItem(found.front()).Set("receipts", std::move(receipts));
}

// ---- search

void Explore::SearchDirectory(ByteView prefix, bool exact, Json& out) const {
  for (const ModelRecord* model : p_.directory.Models()) {
    if (Begins(model->id, prefix)) Match(out, "model", ToHex0x(model->id), p_.directory.PublicName(*model));
  }
  std::set<Address> hosts;
  for (const auto& [key, node] : p_.directory.nodes()) {
    const auto models = p_.directory.ModelsOf(node.family);
    const std::string of = models.empty() ? "" : " of " + p_.directory.PublicName(*models.front());
    if (Begins(key, prefix)) Match(out, "node", ToHex0x(key), "node, slot " + std::to_string(node.slot) + of);
    if (Begins(node.host, prefix)) hosts.insert(node.host);
  }
  for (const Address& host : hosts) Match(out, "address", ToHex0x(host), "host");
  const bool account = exact && prefix.size() == 20 && out.as_array().empty();
  if (account) Match(out, "address", ToHex0x(prefix), "account");
}

Status Explore::SearchStore(ByteView prefix, Json& out) const {
  for (const Hash32& hash : TT_TRY(p_.store.ReceiptsLike(prefix, kMaxMatches))) Match(out, "receipt", ToHex0x(hash), "receipt");
  for (const Hash32& query : TT_TRY(p_.store.QueriesLike(prefix, kMaxMatches))) Match(out, "query", ToHex0x(query), "query");
  for (const Hash32& root : TT_TRY(p_.store.RootsLike(prefix, kMaxMatches))) {
    const auto batches = TT_TRY(p_.store.BatchesByRoot(root));
    const auto line = batches.empty() ? std::nullopt : p_.directory.FindLine(batches.front().line);
    const std::string seq = batches.empty() ? "" : " " + std::to_string(batches.front().seq);
    Match(out, "batch", ToHex0x(root), "batch" + seq + (line ? " of " + ModelName(line->model) : ""));
  }
  return Ok{};
}

Result<Json> Explore::Search(std::string_view query) const {
  const std::string text = net::QueryParameter(query, "q").value_or("");
  Json out = Json::MakeArray();
  if (text.empty() || text.size() > kMaxModelName) return Error(Code::kInvalidArgument, "the query parameter 'q' is missing or too long");
  const std::string lower = LowerCase(text);
  for (const ModelRecord* model : p_.directory.ListedModels()) {
    const std::string name = p_.directory.PublicName(*model);
    if (LowerCase(name).find(lower) != std::string::npos && !lower.starts_with("0x")) Match(out, "model", ToHex0x(model->id), name);
  }
  std::string_view digits = lower;
  if (digits.starts_with("0x")) digits.remove_prefix(2);
  auto prefix = FromHex(digits.substr(0, digits.size() / 2 * 2));
  if (prefix && prefix->size() >= kMinPrefix && prefix->size() <= 32) {
    SearchDirectory(*prefix, digits.size() == 40, out);
    TT_RETURN_IF_ERROR(SearchStore(*prefix, out));
  }
  return Json::MakeObject({{"matches", std::move(out)}});
}

// ---- earnings

Result<Json> Explore::Expected(uint64_t now) const {
  const uint64_t since = now - std::min(now, kRevenueWindow);
  const auto first = TT_TRY(p_.store.FirstRevenue());
  const uint64_t span = std::clamp<uint64_t>(now - std::min(now, std::max(since, first.value_or(now))), kLeastRevenueSpan, kRevenueWindow);
  std::map<Hash32, chain::Wei> by_model;
  for (const LineRevenue& revenue : TT_TRY(p_.store.RevenueSince(since))) {
    const auto line = p_.directory.FindLine(revenue.line);
    if (line) by_model[line->model] = TT_TRY(by_model[line->model].Plus(revenue.amount));
  }
  Json out = Json::MakeArray();
  for (const ModelRecord* model : p_.directory.ListedModels()) {
    const chain::Wei a_day = by_model[model->id].ScaledUp(86'400, static_cast<uint32_t>(span));
    uint32_t shares = 0;
    for (const chain::Slot& slot : model->params.slots) shares += slot.share;
    std::vector<uint32_t> live(model->params.slots.size());
    for (const NodeRecord* node : p_.directory.NodesOf(model->family)) {
      if (node->slot < live.size() && p_.directory.IsLive(*node)) ++live[node->slot];
    }
    for (size_t slot = 0; slot < live.size(); ++slot) {
      const chain::Wei each = a_day.ScaledUp(model->params.slots[slot].share, shares).ScaledUp(1, std::max(1u, live[slot]));
      out.Push(Json::MakeObject({{"model", ToHex0x(model->id)},
                                 {"slot", uint64_t{slot}},
                                 {"wei_per_day", each.Decimal()},
                                 {"from_days", static_cast<double>(span) / 86'400}}));
    }
  }
  return out;
}

}  // namespace teetee::gateway
