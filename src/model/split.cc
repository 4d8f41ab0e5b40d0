#include "model/split.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/check.h"
#include "model/shard_keys.h"

namespace teetee::model {
namespace {

Error Bad(std::string what) { return Error(Code::kInvalidArgument, std::move(what)); }

std::vector<BlockRange> RangesFrom(const std::vector<uint32_t>& firsts, uint32_t n_layers) {
  std::vector<BlockRange> out;
  for (size_t i = 0; i < firsts.size(); ++i) {
    const bool last = i + 1 == firsts.size();
    out.push_back({firsts[i], (last ? n_layers : firsts[i + 1]) - firsts[i], i == 0, last});
  }
  return out;
}

// Only the first slot turns text into ids, so only it carries the vocabulary and the chat template;
// the others keep the numbers that name tokens (BOS, EOS, ...).
bool BelongsTo(const GgufMetadata::Entry& entry, uint32_t slot) {
  if (entry.key == "general.alignment") return false;  // the writer's own
  if (slot == 0 || !entry.key.starts_with("tokenizer.")) return true;
  return entry.key.ends_with("_token_id");
}

}  // namespace

Result<SplitPlan> SplitPlan::Even(const ModelConfig& config, uint32_t slots) {
  if (slots == 0 || slots > kMaxSlots || slots > config.n_layers) {
    return Bad(std::to_string(slots) + " slots, wanted 1 to " +
               std::to_string(std::min(kMaxSlots, config.n_layers)));
  }
  std::vector<uint32_t> firsts;
  for (uint32_t i = 0, first = 0; i < slots; ++i) {
    firsts.push_back(first);
    first += config.n_layers / slots + (i < config.n_layers % slots ? 1 : 0);
  }
  return SplitPlan(RangesFrom(firsts, config.n_layers));
}

Result<SplitPlan> SplitPlan::At(const ModelConfig& config, const std::vector<uint32_t>& cuts) {
  if (cuts.size() >= kMaxSlots) return Bad("more than " + std::to_string(kMaxSlots) + " slots");
  std::vector<uint32_t> firsts{0};
  for (uint32_t cut : cuts) {
    if (cut <= firsts.back() || cut >= config.n_layers) {
      return Bad("cut " + std::to_string(cut) + ": cuts must rise and lie inside 1 to " +
                 std::to_string(config.n_layers - 1));
    }
    firsts.push_back(cut);
  }
  return SplitPlan(RangesFrom(firsts, config.n_layers));
}

Result<std::vector<uint32_t>> ParseCuts(std::string_view text) {
  std::vector<uint32_t> out;
  for (;;) {
    const size_t comma = text.find(',');
    const std::string_view number = text.substr(0, comma);
    uint32_t cut = 0;
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), cut);
    if (error != std::errc() || end != number.data() + number.size()) {
      return Bad("cut list: entry " + std::to_string(out.size() + 1) + " is not a block number");
    }
    out.push_back(cut);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

Result<GgufWriter> ShardHeader(const GgufFile& whole, const ModelConfig& config,
                               const SplitPlan& plan, uint32_t slot) {
  TT_CHECK(slot < plan.slots().size());
  const GgufMetadata& metadata = whole.metadata();
  if (metadata.Has(kShardSlot))
    return Error(Code::kFailedPrecondition, "this file is a shard already");
  TT_RETURN_IF_ERROR(CheckTensors(whole, config, {0, config.n_layers, true, true}));
  const BlockRange& range = plan.slots()[slot];
  GgufWriter out;
  for (const auto& entry : metadata.entries()) {
    if (BelongsTo(entry, slot)) out.Copy(metadata, entry);
  }
  const std::string vocab_size = std::string(ArchitectureName(config.architecture)) + ".vocab_size";
  if (!metadata.Has(vocab_size))
    out.SetU32(vocab_size, config.vocab_size);  // not to be counted in every shard
  out.SetU32(kShardSlot, slot).SetU32(kShardSlots, static_cast<uint32_t>(plan.slots().size()));
  out.SetU32(kShardFirstBlock, range.first).SetU32(kShardBlockCount, range.count);
  out.SetBool(kShardTiedHead, config.tied_head);

  std::set<std::string> own;
  for (ExpectedTensor& tensor : ExpectedTensors(config, range)) own.insert(std::move(tensor.name));
  for (const TensorInfo& tensor : whole.tensors()) {
    if (own.contains(tensor.name))
      TT_RETURN_IF_ERROR(out.AddTensor(tensor.name, tensor.dtype, tensor.dims));
  }
  return out;
}

Status WriteShard(const GgufFile& whole, const ModelConfig& config, const SplitPlan& plan,
                  uint32_t slot, const std::string& path, const ShardObserver& observer) {
  const GgufWriter writer = TT_TRY(ShardHeader(whole, config, plan, slot));
  auto source = [&](const TensorInfo& tensor, uint64_t begin, std::span<uint8_t> out) -> Status {
    const TensorInfo* original = TT_TRY(whole.FindTensor(tensor.name));
    TT_RETURN_IF_ERROR(whole.ReadTensorPart(*original, begin, out));
    return observer.tensor ? observer.tensor(tensor, begin, out) : Status(Ok{});
  };
  return writer.WriteFile(path, source, observer.file);
}

}  // namespace teetee::model
