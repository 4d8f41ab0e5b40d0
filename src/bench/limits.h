// What a phase could reach on a machine with given limits, and the share of it that was reached.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "bench/probe.h"
#include "model/config.h"
#include "model/gguf.h"

namespace teetee::bench {

// Multiply-adds of one token, by the kind of weight: quantised ones are integer work.
struct Macs {
  uint64_t int8 = 0;
  uint64_t f32 = 0;
};

// What the weights of a model ask for. Attention, norms and sampling are not counted: they are work
// that a share below 1 pays for.
struct ModelWork {
  uint64_t weight_bytes = 0;  // read for one token: all blocks and the output head, as in the file
  Macs blocks;
  Macs head;

  // kNotFound: a file without blocks or without output head and embedding.
  static Result<ModelWork> From(const model::GgufFile& file);
};

// Batches of one token per sequence count as 0.7 of the peak: below, no batch that is worth serving
// keeps the arithmetic units busy all the time.
inline constexpr double kBatchPeak = 0.7;

// Tokens per second.
// Prefill of `tokens` with the head on the last position only, at the arithmetic peak.
double PrefillLimit(const ModelWork& work, size_t tokens, const MachineLimits& limits);
// One step of `batch` sequences in `passes` over the weights (a pipeline's groups each make one).
// One sequence: read bandwidth. More: the lower of the bandwidth's limit and kBatchPeak of the
// arithmetic peak.
double DecodeLimit(const ModelWork& work, size_t batch, double passes, const MachineLimits& limits);

// The larger of the two relative differences of the limits that the phase's share is taken from:
// 0.1 means that they moved by 10 % of the smaller one.
enum class Phase { kPrefill, kDecode };
double Drift(const ModelWork& work, Phase phase, size_t batch, const MachineLimits& before,
             const MachineLimits& after);
// REQUIRES: at least one.
MachineLimits Mean(std::span<const MachineLimits> all);

}  // namespace teetee::bench
