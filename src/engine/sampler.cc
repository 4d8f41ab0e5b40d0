#include "engine/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "base/check.h"
#include "engine/sampler_random.h"
#include "ops/rope.h"

namespace teetee::engine {
namespace {

Error Invalid(std::string what) { return Error(Code::kInvalidArgument, std::move(what)); }

bool AllFinite(std::span<const float> values) {
  uint32_t largest = 0;
  for (float v : values) largest = std::max(largest, std::bit_cast<uint32_t>(v) & 0x7fffffffu);
  return largest < 0x7f800000u;
}

Status CheckLogits(std::span<const float> logits) {
  if (logits.empty()) return Invalid("no logits");
  if (!AllFinite(logits)) return Invalid("a logit is not finite");
  return Ok{};
}

// False for NaN.
template <class T>
bool Within(T value, T low, T high) {
  return value >= low && value <= high;
}

}  // namespace

Status SamplerSettings::Validate(size_t vocabulary) const {
  if (temperature != 0 && !Within(temperature, kMinTemperature, 100.0f)) {
    return Invalid("temperature must be 0 or between 2^-14 and 100");
  }
  if (!Within(top_p, 0.0, 1.0)) return Invalid("top_p must be between 0 and 1");
  if (!Within(min_p, 0.0, 1.0)) return Invalid("min_p must be between 0 and 1");
  if (!Within(repetition_penalty, 0x1p-6f, 64.0f)) return Invalid("repetition_penalty must be between 2^-6 and 64");
  if (!Within(frequency_penalty, -100.0f, 100.0f)) return Invalid("frequency_penalty must be between -100 and 100");
  if (!Within(presence_penalty, -100.0f, 100.0f)) return Invalid("presence_penalty must be between -100 and 100");
  if (logit_bias.size() > kMaxLogitBias) return Invalid("logit_bias has too many entries");
  std::set<int32_t> seen;
  for (const auto& [id, bias] : logit_bias) {
    if (id < 0 || static_cast<size_t>(id) >= vocabulary) return Invalid("logit_bias names no token of the model");
    if (!seen.insert(id).second) return Invalid("logit_bias names a token twice");
    if (!Within(bias, -1000.0f, 1000.0f)) return Invalid("logit_bias must be between -1000 and 1000");
  }
  return Ok{};
}

void TokenHistory::AddPrompt(std::span<const int32_t> ids) {
  for (int32_t id : ids) counts_.try_emplace(id, 0);
  prompt_.insert(ids.begin(), ids.end());
}

void TokenHistory::AddAnswer(int32_t id) { ++counts_[id]; }

void TokenHistory::RemoveAnswer(int32_t id) {
  auto found = counts_.find(id);
  TT_CHECK(found != counts_.end() && found->second > 0);
  if (--found->second == 0 && !prompt_.contains(id)) counts_.erase(found);
}

Status Sampler::ApplyPenalties(const TokenHistory& history, const SamplerSettings& s) {
  for (const auto& [id, count] : history.answer_counts()) {
    if (id < 0 || static_cast<size_t>(id) >= logits_.size()) return Invalid("the history holds an unknown token");
    float& l = logits_[static_cast<size_t>(id)];
    l = l > 0 ? l / s.repetition_penalty : l * s.repetition_penalty;
    if (count == 0) continue;
    float penalty = static_cast<float>(count) * s.frequency_penalty;
    penalty = penalty + s.presence_penalty;
    l = l - penalty;
  }
  return Ok{};
}

Status Sampler::Adjust(const SampleInput& input, const SamplerSettings& settings) {
  TT_RETURN_IF_ERROR(CheckLogits(input.logits));
  if (!input.mask.empty() && input.mask.size() != input.logits.size()) {
    return Invalid("the mask has another size than the logits");
  }
  logits_.assign(input.logits.begin(), input.logits.end());
  if (settings.has_penalties()) {
    TT_CHECK(input.history != nullptr);
    TT_RETURN_IF_ERROR(ApplyPenalties(*input.history, settings));
  }
  for (const auto& [id, bias] : settings.logit_bias) {
    if (id < 0 || static_cast<size_t>(id) >= logits_.size()) return Invalid("logit_bias names no token of the model");
    logits_[static_cast<size_t>(id)] += bias;
  }
  return Ok{};
}

Result<Draw> Sampler::Greedy(std::span<const uint8_t> mask) const {
  int32_t best = -1;
  for (size_t i = 0; i < logits_.size(); ++i) {
    if (!mask.empty() && !mask[i]) continue;
    if (best < 0 || logits_[i] > logits_[static_cast<size_t>(best)]) best = static_cast<int32_t>(i);
  }
  if (best < 0) return Invalid("the mask leaves no token");
  return Draw{best, 0};
}

Status Sampler::Select(const SampleInput& input, const SamplerSettings& settings) {
  for (float& l : logits_) l = l / settings.temperature;
  TT_RETURN_IF_ERROR(candidates_.Load(logits_, input.mask));
  candidates_.KeepTop(settings.top_k);
  candidates_.KeepPrefix(settings.top_p);
  candidates_.KeepHeavy(settings.min_p);
  return Ok{};
}

Result<Draw> Sampler::Sample(const SampleInput& input, const SamplerSettings& settings) {
  TT_RETURN_IF_ERROR(Adjust(input, settings));
  if (settings.temperature == 0) return Greedy(input.mask);
  TT_RETURN_IF_ERROR(Select(input, settings));
  uint64_t random = Draw64(settings.seed, input.position, input.stream);
  int32_t id = candidates_.Pick(random);
  TT_CHECK(id >= 0);
  return Draw{id, random};
}

Result<std::vector<Candidate>> Sampler::Kept(const SampleInput& input, const SamplerSettings& settings) {
  TT_RETURN_IF_ERROR(Adjust(input, settings));
  if (settings.temperature == 0) {
    Draw draw = TT_TRY(Greedy(input.mask));
    return std::vector<Candidate>{{draw.id, logits_[static_cast<size_t>(draw.id)], uint64_t{1} << 40}};
  }
  TT_RETURN_IF_ERROR(Select(input, settings));
  return candidates_.All();
}

std::pair<float, double> Sampler::Normalizer(std::span<const float> logits, uint64_t& sum) {
  constexpr size_t kBlock = 4096;
  float largest = logits[0];
  for (float l : logits) largest = l > largest ? l : largest;
  std::vector<uint64_t> weights(std::min(kBlock, logits.size()));
  std::vector<float> scratch;
  sum = 0;
  for (size_t begin = 0; begin < logits.size(); begin += kBlock) {
    size_t n = std::min(kBlock, logits.size() - begin);
    SampleWeights(isa_, logits.subspan(begin, n), largest, scratch, std::span(weights).first(n));
    for (size_t i = 0; i < n; ++i) sum += weights[i];
  }
  return {largest, ops::Ln64(static_cast<double>(sum) * 0x1p-40)};
}

namespace {
float LogprobOf(float l, const std::pair<float, double>& normalizer) {
  return static_cast<float>((double{l} - double{normalizer.first}) - normalizer.second);
}
}  // namespace

Result<uint64_t> Sampler::AllLogprobs(std::span<const float> logits, std::span<float> out) {
  TT_RETURN_IF_ERROR(CheckLogits(logits));
  TT_CHECK(out.size() == logits.size());
  uint64_t sum = 0;
  auto normalizer = Normalizer(logits, sum);
  for (size_t i = 0; i < logits.size(); ++i) out[i] = LogprobOf(logits[i], normalizer);
  return sum;
}

Result<Logprobs> Sampler::ComputeLogprobs(std::span<const float> logits, int32_t chosen, unsigned top) {
  TT_RETURN_IF_ERROR(CheckLogits(logits));
  if (chosen < 0 || static_cast<size_t>(chosen) >= logits.size()) return Invalid("the token is not of the model");
  if (top > kMaxTopLogprobs) return Invalid("top_logprobs must be at most 20");
  uint64_t sum = 0;
  auto normalizer = Normalizer(logits, sum);
  Logprobs out;
  out.chosen = {chosen, LogprobOf(logits[static_cast<size_t>(chosen)], normalizer)};
  if (top == 0) return out;
  TT_RETURN_IF_ERROR(candidates_.Load(logits, {}));
  candidates_.KeepTop(top);
  for (const Candidate& c : candidates_.All()) out.top.push_back({c.id, LogprobOf(c.logit, normalizer)});
  return out;
}

}  // namespace teetee::engine
