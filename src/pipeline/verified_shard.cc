#include "pipeline/verified_shard.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include "crypto/hash.h"
#include "model/shard_keys.h"

namespace teetee::pipeline {
namespace {

constexpr size_t kLogitRows = 16;  // hashed at a time

uint64_t SplitMix(uint64_t seed, uint64_t k) {
  uint64_t z = seed + (k + 1) * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

float UnitFloat(uint64_t seed, uint64_t k) {
  int64_t v = static_cast<int64_t>(SplitMix(seed, k) >> 40) - (int64_t{1} << 23);
  return static_cast<float>(v) * 0x1p-23f;
}

ByteView FloatBytes(const float* data, size_t count) {
  return {reinterpret_cast<const uint8_t*>(data), count * sizeof(float)};
}

Result<std::vector<float>> KnownRows(const model::Shard& shard, uint64_t seed, uint64_t n) {
  KnownInput input = MakeKnownInput(shard, seed, n);
  if (input.ids.empty()) return std::move(input.x);
  std::vector<float> x(n * shard.config().hidden_dim);
  TT_RETURN_IF_ERROR(shard.Embed(input.ids, x.data()));
  return x;
}

Result<Hash32> HashLogits(model::Shard& shard, const std::vector<float>& x, uint64_t n, ops::ThreadPool& pool) {
  const size_t dim = shard.config().hidden_dim, vocab = shard.config().vocab_size;
  crypto::Sha256Stream hash;
  std::vector<float> logits(kLogitRows * vocab);
  for (size_t at = 0; at < n; at += kLogitRows) {
    std::vector<model::LogitsItem> items(std::min<size_t>(kLogitRows, n - at));
    for (size_t i = 0; i < items.size(); ++i) {
      items[i].x = x.data() + (at + i) * dim;
      items[i].logits = logits.data() + i * vocab;
    }
    TT_RETURN_IF_ERROR(shard.Logits(items, pool));
    for (auto& item : items) {
      if (item.error) return *std::move(item.error);
    }
    hash.Update(FloatBytes(logits.data(), items.size() * vocab));
  }
  return hash.Finish();
}

Result<const manifest::Slot*> SlotOf(const model::GgufFile& file, const manifest::Manifest& manifest, uint32_t* index) {
  *index = TT_TRY(file.metadata().GetU32(model::kShardSlot));
  if (*index >= manifest.slots.size()) {
    return Error(Code::kInvalidArgument, "check shard.slot: the manifest has no slot " + std::to_string(*index));
  }
  const manifest::Slot& slot = manifest.slots[*index];
  uint32_t first = TT_TRY(file.metadata().GetU32(model::kShardFirstBlock));
  uint32_t count = TT_TRY(file.metadata().GetU32(model::kShardBlockCount));
  if (first != slot.first_block || count != slot.block_count) {
    return Error(Code::kInvalidArgument, "check shard.range: the file holds blocks [" + std::to_string(first) + ", " +
                                             std::to_string(first + count) + "), the manifest's slot has others");
  }
  return &slot;
}

}  // namespace

KnownInput MakeKnownInput(const model::Shard& shard, uint64_t seed, uint64_t n) {
  KnownInput out;
  if (shard.is_first()) {
    out.ids.resize(n);
    for (size_t k = 0; k < n; ++k) out.ids[k] = static_cast<uint32_t>(SplitMix(seed, k) % shard.config().vocab_size);
  } else {
    out.x.resize(n * shard.config().hidden_dim);
    for (size_t k = 0; k < out.x.size(); ++k) out.x[k] = UnitFloat(seed, k);
  }
  return out;
}

Result<VerifiedShard> LoadVerified(const model::GgufFile& file, const manifest::Manifest& manifest, ops::Isa isa) {
  VerifiedShard out;
  const manifest::Slot* slot = TT_TRY(SlotOf(file, manifest, &out.slot));
  auto config = TT_TRY(model::ModelConfig::From(file));
  if (model::CanonicalConfig(config) != manifest.config) {
    return Error(Code::kInvalidArgument, "check shard.config: the file's configuration is not the manifest's");
  }
  std::mutex mutex;  // of hashes and seen: tensors are read on several threads
  std::map<std::string, crypto::Sha256Stream> hashes;
  std::vector<manifest::Tensor> seen;
  auto sink = [&](const model::TensorInfo& info, uint64_t begin, ByteView piece) -> Status {
    crypto::Sha256Stream* hash = [&] {
      const std::lock_guard lock(mutex);
      return &hashes[info.name];
    }();
    hash->Update(piece);
    if (begin + piece.size() < info.bytes) return Ok{};
    manifest::Tensor tensor{info.name, std::string(ops::DTypeName(info.dtype)), info.dims, info.bytes, hash->Finish()};
    auto wanted = manifest.FindTensor(info.name);
    if (!wanted || !(**wanted == tensor)) {
      return Error(Code::kDataLoss, "check shard.weights: tensor " + info.name + " is not the manifest's");
    }
    const std::lock_guard lock(mutex);
    seen.push_back(std::move(tensor));
    return Ok{};
  };
  auto range = TT_TRY(model::RangeOf(file, config));
  out.shard = TT_TRY(model::Shard::Load(file, config, range, isa, sink));
  if (seen.empty()) return Error(Code::kDataLoss, "check shard.weights: the file has no tensors");
  out.weights_root = manifest::WeightsRoot(std::move(seen));
  if (out.weights_root != slot->weights_root) {
    return Error(Code::kDataLoss, "check shard.weights: the tensors do not hash to the slot's root");
  }
  return out;
}

Result<Hash32> ComputeKnownAnswer(model::Shard& shard, uint64_t seed, uint64_t n, ops::ThreadPool& pool) {
  if (n == 0 || n > manifest::Limits::kMaxKatTokens) return Error(Code::kInvalidArgument, "known answer: 1 to 4096 tokens");
  std::vector<float> x = TT_TRY(KnownRows(shard, seed, n));
  auto state = TT_TRY(model::SequenceState::Make(shard.kv_shape(), n));
  model::BatchItem item{&state, 0, n, x.data(), std::nullopt};
  TT_RETURN_IF_ERROR(shard.ForwardBatch(std::span(&item, 1), pool));
  if (item.error) return *std::move(item.error);
  if (shard.is_last()) return HashLogits(shard, x, n, pool);
  return crypto::Sha256(FloatBytes(x.data(), x.size()));
}

Result<manifest::KnownAnswer> MakeKnownAnswer(const model::GgufFile& file, uint64_t seed, uint64_t n, ops::Isa isa) {
  auto config = TT_TRY(model::ModelConfig::From(file));
  auto shard = TT_TRY(model::Shard::Load(file, config, TT_TRY(model::RangeOf(file, config)), isa));
  ops::ThreadPool pool(std::max(1u, std::thread::hardware_concurrency()));
  return manifest::KnownAnswer{seed, n, TT_TRY(ComputeKnownAnswer(*shard, seed, n, pool))};
}

Status CheckKnownAnswers(model::Shard& shard, const manifest::Slot& slot, ops::ThreadPool& pool) {
  for (const manifest::KnownAnswer& kat : slot.kats) {
    Hash32 output = TT_TRY(ComputeKnownAnswer(shard, kat.seed, kat.n_tokens, pool));
    if (output != kat.output_sha256) {
      return Error(Code::kDataLoss, "check shard.known_answer: this machine computes another answer for seed " + std::to_string(kat.seed));
    }
  }
  return Ok{};
}

}  // namespace teetee::pipeline
