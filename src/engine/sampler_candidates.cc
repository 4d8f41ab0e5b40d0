#include "engine/sampler_candidates.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "ops/activation.h"

namespace teetee::engine {
namespace {

constexpr size_t kFirstChunk = 64;     // sorted at once; later chunks grow
constexpr size_t kWeightBlock = 4096;  // weights computed at once
constexpr uint64_t kOne = uint64_t{1} << 40;

// Smaller for a larger logit; -0 is +0.
uint32_t FallingBits(float l) {
  uint32_t bits = std::bit_cast<uint32_t>(l == 0 ? 0.0f : l);
  return bits >> 31 ? bits : ~(bits | 0x80000000u);
}

int32_t IdOf(uint64_t key) { return static_cast<int32_t>(static_cast<uint32_t>(key)); }

uint64_t MulHigh(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>(Wide{a} * b >> 64);
}

}  // namespace

void SampleWeights(ops::Isa isa, std::span<const float> l, float largest, std::vector<float>& scratch,
                   std::span<uint64_t> out) {
  scratch.resize(l.size());
  for (size_t i = 0; i < l.size(); ++i) scratch[i] = l[i] - largest;
  ops::Activate(isa, ops::Activation::kExp, scratch.data(), scratch.size(), scratch.data());
  for (size_t i = 0; i < l.size(); ++i) out[i] = static_cast<uint64_t>(double{scratch[i]} * 0x1p40);
}

int32_t PickByWeight(std::span<const Candidate> candidates, uint64_t random) {
  uint64_t total = 0, prefix = 0;
  for (const Candidate& c : candidates) total += c.weight;
  uint64_t target = MulHigh(random, total);
  for (const Candidate& c : candidates) {
    prefix += c.weight;
    if (prefix > target) return c.id;
  }
  return -1;
}

Status Candidates::Load(std::span<const float> logits, std::span<const uint8_t> mask) {
  logits_ = logits;
  keys_.clear();
  keys_.reserve(logits.size());
  sorted_ = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    if (mask.empty() || mask[i]) keys_.push_back(uint64_t{FallingBits(logits[i])} << 32 | i);
  }
  if (keys_.empty()) return Error(Code::kInvalidArgument, "the mask leaves no token");
  first_key_ = *std::min_element(keys_.begin(), keys_.end());
  first_ = logits_[static_cast<size_t>(IdOf(first_key_))];
  if (!std::isfinite(first_)) return Error(Code::kInvalidArgument, "a logit overflows under the sampler settings");
  return Ok{};
}

void Candidates::SortPrefix(size_t count) {
  count = std::min(count, keys_.size());
  if (count <= sorted_) return;
  auto begin = keys_.begin() + static_cast<ptrdiff_t>(sorted_), middle = keys_.begin() + static_cast<ptrdiff_t>(count);
  if (middle != keys_.end()) std::nth_element(begin, middle, keys_.end());
  std::sort(begin, middle);
  sorted_ = count;
}

std::span<const uint64_t> Candidates::Weights(size_t begin, size_t end) {
  gathered_.resize(end - begin);
  weights_.resize(end - begin);
  for (size_t i = begin; i < end; ++i) gathered_[i - begin] = logits_[static_cast<size_t>(IdOf(keys_[i]))];
  SampleWeights(isa_, gathered_, first_, exps_, weights_);
  return weights_;
}

uint64_t Candidates::Total() {
  uint64_t total = 0;
  for (size_t begin = 0; begin < keys_.size(); begin += kWeightBlock) {
    for (uint64_t w : Weights(begin, std::min(begin + kWeightBlock, keys_.size()))) total += w;
  }
  return total;
}

template <class Visit>
void Candidates::Walk(Visit visit) {
  for (size_t begin = 0, chunk = kFirstChunk; begin < keys_.size(); chunk *= 4) {
    size_t end = std::min(begin + chunk, keys_.size());
    SortPrefix(end);
    auto weights = Weights(begin, end);
    for (size_t i = begin; i < end; ++i) {
      if (!visit(i, weights[i - begin])) return;
    }
    begin = end;
  }
}

void Candidates::KeepTop(size_t k) {
  if (k == 0 || k >= keys_.size()) return;
  auto middle = keys_.begin() + static_cast<ptrdiff_t>(k);
  std::nth_element(keys_.begin(), middle, keys_.end());
  keys_.resize(k);
  sorted_ = 0;
}

void Candidates::KeepPrefix(double top_p) {
  if (top_p >= 1) return;
  uint64_t need = static_cast<uint64_t>(top_p * static_cast<double>(Total()));
  uint64_t sum = 0;
  size_t kept = keys_.size();
  Walk([&](size_t i, uint64_t weight) {
    sum += weight;
    if (sum >= need) kept = i + 1;
    return sum < need;
  });
  keys_.resize(kept);
  sorted_ = std::min(sorted_, kept);
}

void Candidates::KeepHeavy(double min_p) {
  if (min_p <= 0) return;
  uint64_t need = min_p >= 1 ? kOne : static_cast<uint64_t>(min_p * 0x1p40);
  size_t kept = 0, kept_sorted = 0;
  for (size_t begin = 0; begin < keys_.size(); begin += kWeightBlock) {
    size_t end = std::min(begin + kWeightBlock, keys_.size());
    auto weights = Weights(begin, end);
    for (size_t i = begin; i < end; ++i) {
      if (weights[i - begin] < need && keys_[i] != first_key_) continue;
      if (i < sorted_) ++kept_sorted;
      keys_[kept++] = keys_[i];
    }
  }
  keys_.resize(kept);
  sorted_ = kept_sorted;
}

int32_t Candidates::Pick(uint64_t random) {
  uint64_t target = MulHigh(random, Total()), prefix = 0;
  int32_t id = -1;
  Walk([&](size_t i, uint64_t weight) {
    prefix += weight;
    if (prefix > target) id = IdOf(keys_[i]);
    return prefix <= target;
  });
  return id;
}

std::vector<Candidate> Candidates::All() {
  std::vector<Candidate> out;
  Walk([&](size_t i, uint64_t weight) {
    int32_t id = IdOf(keys_[i]);
    out.push_back({id, logits_[static_cast<size_t>(id)], weight});
    return true;
  });
  return out;
}

}  // namespace teetee::engine
