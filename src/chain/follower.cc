#include "chain/follower.h"

#include <algorithm>

#include "base/file.h"
#include "base/json.h"

namespace teetee::chain {
namespace {

constexpr size_t kMaxPoints =
    128;  // how many ranges a reorganisation may step back before all is read again

bool RefusesRange(Code code) {  // what a smaller question may mend
  return code != Code::kUnavailable && code != Code::kCancelled;
}

void SortAndDeduplicate(std::vector<LogEntry>* logs) {
  const auto order = [](const LogEntry& a, const LogEntry& b) {
    return std::pair(a.block_number, a.log_index) < std::pair(b.block_number, b.log_index);
  };
  std::sort(logs->begin(), logs->end(), order);
  const auto same = [](const LogEntry& a, const LogEntry& b) { return KeyOf(a) == KeyOf(b); };
  logs->erase(std::unique(logs->begin(), logs->end(), same), logs->end());
}

bool AllAskedFor(const LogFilter& filter, const std::vector<LogEntry>& logs) {
  return std::all_of(logs.begin(), logs.end(), [&](const LogEntry& log) {
    const bool in_range =
        log.block_number >= filter.from_block && log.block_number <= filter.to_block;
    const auto& a = filter.addresses;
    return in_range && (a.empty() || std::find(a.begin(), a.end(), log.address) != a.end());
  });
}

}  // namespace

Result<Follower> Follower::Open(Rpc* rpc, FollowerOptions options) {
  Follower out(rpc, std::move(options));
  const std::string& path = out.options_.cursor_path;
  if (path.empty() || !FileExists(path)) return out;
  const Bytes content = TT_TRY(ReadFile(path, 1u << 20));
  Status loaded = out.Load(content);
  if (!loaded) return Error(Code::kDataLoss, "cursor " + path + ": " + loaded.error().message());
  return out;
}

Status Follower::Load(ByteView content) {
  const Json json = TT_TRY(Json::Parse(AsText(content)));
  const Json* points = TT_TRY(json.GetArray("points"));
  for (const Json& point : points->as_array()) {
    const uint64_t number = TT_TRY(point.GetUint64("number"));
    const std::string hash = TT_TRY(point.GetString("hash"));
    if (!points_.empty() && number <= points_.back().number) {
      return Error(Code::kDataLoss, "the blocks do not ascend");
    }
    points_.push_back({number, TT_TRY(FromHexFixed<32>(hash))});
  }
  return Ok{};
}

Status Follower::Commit() {
  if (options_.cursor_path.empty()) return Ok{};
  Json points = Json::MakeArray();
  for (const Point& point : points_) {
    points.Push(Json::MakeObject({{"number", point.number}, {"hash", ToHex0x(point.hash)}}));
  }
  const std::string text = Json::MakeObject({{"v", 1}, {"points", std::move(points)}}).Dump();
  return WriteFileAtomic(options_.cursor_path, AsBytes(text));
}

// Drops points whose block was replaced; says above which block events are void, if any were
// dropped.
net::Task<Result<std::optional<uint64_t>>> Follower::StepBack() {
  std::deque<Point> kept = points_;
  while (!kept.empty()) {
    const BlockId id = BlockId::Number(kept.back().number);
    auto block = co_await rpc_->GetBlock(id);
    TT_CO_CHECK(block);
    if (*block && (*block)->hash == kept.back().hash) break;
    kept.pop_back();
  }
  if (kept.size() == points_.size()) co_return std::optional<uint64_t>();
  points_ = std::move(kept);
  const uint64_t first = next_block();
  co_return std::optional<uint64_t>(first == 0 ? 0 : first - 1);
}

net::Task<Result<FollowBatch>> Follower::Poll() {
  auto undo = co_await StepBack();
  TT_CO_CHECK(undo);
  FollowBatch nothing;
  nothing.undo_above = *undo;
  auto head = co_await rpc_->BlockNumber();
  // A step back must reach the handler: it is not found again.
  if (!head && *undo) co_return nothing;
  TT_CO_CHECK(head);
  const uint64_t newest =
      *head + 1 >= options_.confirmations ? *head + 1 - options_.confirmations : 0;
  nothing.through_block = next_block() == 0 ? 0 : next_block() - 1;
  nothing.caught_up = true;
  if (newest < next_block()) co_return nothing;
  auto batch = co_await Fetch(newest);
  if (!batch && *undo) {
    nothing.caught_up = false;
    co_return nothing;
  }
  TT_CO_CHECK(batch);
  batch->undo_above = *undo;
  co_return *std::move(batch);
}

net::Task<Result<FollowBatch>> Follower::Fetch(uint64_t head) {
  LogFilter filter;
  filter.addresses = options_.addresses;
  filter.topic0 = options_.topic0;
  filter.from_block = next_block();
  filter.to_block = std::min(head, filter.from_block + range_ - 1);
  const BlockId last = BlockId::Number(filter.to_block);
  auto before = co_await rpc_->GetBlock(last);
  TT_CO_CHECK(before);
  auto logs = co_await rpc_->GetLogs(filter);
  if (!logs && RefusesRange(logs.error().code())) range_ = std::max<uint64_t>(1, range_ / 2);
  TT_CO_CHECK(logs);
  auto after = co_await rpc_->GetBlock(last);
  TT_CO_CHECK(after);
  if (!*before || !*after || (*before)->hash != (*after)->hash) {
    co_return Error(Code::kUnavailable, "chain: blocks were replaced while their logs were read");
  }
  if (!AllAskedFor(filter, *logs)) {
    co_return Error(Code::kDataLoss, "chain RPC eth_getLogs: logs that were not asked for");
  }
  SortAndDeduplicate(&*logs);
  points_.push_back({filter.to_block, (*after)->hash});
  if (points_.size() > kMaxPoints) points_.pop_front();
  range_ = std::min(options_.max_range, range_ * 2);
  FollowBatch out;
  out.logs = *std::move(logs);
  out.through_block = filter.to_block;
  out.caught_up = filter.to_block == head;
  co_return out;
}

}  // namespace teetee::chain
