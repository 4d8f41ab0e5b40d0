// Draws the next token from a row of logits, to the bit of docs/formats/numerics.md section 10: penalties, bias, mask,
// temperature, top-k, top-p, min-p and an integer-weighted draw with a counter-based random number. The draw is a function of
// (logits, settings, history, position, stream) alone: neither batch nor machine nor order of requests can change it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/sampler_candidates.h"
#include "ops/isa.h"

namespace teetee::engine {

inline constexpr float kMinTemperature = 0x1p-14f;
inline constexpr size_t kMaxLogitBias = 1024;
inline constexpr unsigned kMaxTopLogprobs = 20;

struct SamplerSettings {
  float temperature = 1;         // 0: greedy; else kMinTemperature .. 100
  uint32_t top_k = 0;            // 0: off
  double top_p = 1;              // 0 .. 1; 1: off
  double min_p = 0;              // 0 .. 1; 0: off
  float repetition_penalty = 1;  // 2^-6 .. 64; for ids of prompt and answer; 1: off
  float frequency_penalty = 0;   // -100 .. 100; per occurrence in the answer
  float presence_penalty = 0;    // -100 .. 100; once for ids of the answer
  uint64_t seed = 0;
  std::vector<std::pair<int32_t, float>> logit_bias;  // id, -1000 .. 1000; each id once

  // kInvalidArgument naming the setting. vocabulary: the number of logits.
  Status Validate(size_t vocabulary) const;
  bool has_penalties() const {
    return repetition_penalty != 1 || frequency_penalty != 0 || presence_penalty != 0;
  }
};

// Which ids stand in a prompt and how often in the answer so far. Copy it for another answer to the same prompt.
class TokenHistory {
 public:
  void AddPrompt(std::span<const int32_t> ids);
  void AddAnswer(int32_t id);
  void RemoveAnswer(int32_t id);  // REQUIRES: added before
  const std::unordered_map<int32_t, uint32_t>& answer_counts() const { return counts_; }  // 0: prompt only

 private:
  std::unordered_map<int32_t, uint32_t> counts_;
  std::unordered_set<int32_t> prompt_;
};

struct SampleInput {
  std::span<const float> logits;   // (vocabulary)
  const TokenHistory* history = nullptr;  // needed when settings.has_penalties()
  std::span<const uint8_t> mask;   // (vocabulary) or empty; 0 removes an id
  uint64_t position = 0;           // number of ids before the drawn one, prompt and answer
  uint64_t stream = 0;             // index of the choice (`n`), from 0
};

struct Draw {
  int32_t id = 0;
  uint64_t random = 0;  // the u of section 10; 0 when greedy
};

struct TokenLogprob {
  int32_t id = 0;
  float logprob = 0;
  bool operator==(const TokenLogprob&) const = default;
};
struct Logprobs {
  TokenLogprob chosen;
  std::vector<TokenLogprob> top;  // logprob falling, ties by rising id
};

// Keeps scratch memory between draws. Not thread-safe: one per thread. Isa changes the speed only.
class Sampler {
 public:
  explicit Sampler(ops::Isa isa = ops::BestIsa()) : isa_(isa), candidates_(isa) {}

  // REQUIRES: settings.Validate passed. Errors: kInvalidArgument for logits that are not finite, sizes that do not match, a mask
  // that leaves nothing, and logits that overflow under the settings.
  Result<Draw> Sample(const SampleInput& input, const SamplerSettings& settings);
  // The candidates that Sample draws from, in their order. For tests and inspection: sorts all of them.
  Result<std::vector<Candidate>> Kept(const SampleInput& input, const SamplerSettings& settings);

  // From the raw logits. chosen: an id; top: how many of the likeliest ids, at most kMaxTopLogprobs.
  Result<Logprobs> ComputeLogprobs(std::span<const float> logits, int32_t chosen, unsigned top);
  // logprobs of all ids into out (vocabulary); returns the sum of the weights.
  Result<uint64_t> AllLogprobs(std::span<const float> logits, std::span<float> out);

 private:
  // Fills logits_ (penalties, bias) and checks the input.
  Status Adjust(const SampleInput& input, const SamplerSettings& settings);
  Status ApplyPenalties(const TokenHistory& history, const SamplerSettings& settings);
  Result<Draw> Greedy(std::span<const uint8_t> mask) const;
  // Fills candidates_. REQUIRES temperature > 0.
  Status Select(const SampleInput& input, const SamplerSettings& settings);
  // The largest logit, and ln of the sum of exp(l - largest); sum receives the sum of weights.
  std::pair<float, double> Normalizer(std::span<const float> logits, uint64_t& sum);

  ops::Isa isa_;
  std::vector<float> logits_;
  Candidates candidates_;
};

}  // namespace teetee::engine
