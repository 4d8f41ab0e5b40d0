// From a shard's file to a shard that is proved to be the manifest's: each tensor is read once, hashed, compared and packed from the same
// bytes; known answers show that this machine computes what the manifest says. Source: docs/formats/manifest.md. Blocks; for start-up.
#pragma once

#include <memory>
#include <string>

#include "manifest/manifest.h"
#include "model/shard.h"
#include "ops/thread_pool.h"

namespace teetee::pipeline {

struct VerifiedShard {
  std::unique_ptr<model::Shard> shard;
  uint32_t slot = 0;
  Hash32 weights_root{};  // recomputed from the bytes that were packed
};

// The slot is the one that the file names. kDataLoss names the tensor whose bytes differ; kInvalidArgument: a file of another cut.
Result<VerifiedShard> LoadVerified(const model::GgufFile& file, const manifest::Manifest& manifest, ops::Isa isa);

// What a known answer is computed from: token ids for a first shard, else rows of f32 (n_tokens, dim).
struct KnownInput {
  std::vector<uint32_t> ids;
  std::vector<float> x;
};
KnownInput MakeKnownInput(const model::Shard& shard, uint64_t seed, uint64_t n_tokens);

// Output hash of the slot's known answer for (seed, n_tokens).
Result<Hash32> ComputeKnownAnswer(model::Shard& shard, uint64_t seed, uint64_t n_tokens, ops::ThreadPool& pool);

// For whoever writes a manifest: loads the shard's file and computes its known answer.
Result<manifest::KnownAnswer> MakeKnownAnswer(const model::GgufFile& file, uint64_t seed, uint64_t n_tokens, ops::Isa isa);

// kDataLoss: this machine computes another answer than the manifest's.
Status CheckKnownAnswers(model::Shard& shard, const manifest::Slot& slot, ops::ThreadPool& pool);

}  // namespace teetee::pipeline
