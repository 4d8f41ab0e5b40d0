// The candidates of one draw: ids ordered by (logit falling, id rising) with integer weights, cut down by top-k, top-p and min-p.
// Only as much of the order is computed as the cuts and the draw look at, so a draw from 256k logits costs O(n) when it ends
// early. Source: docs/formats/numerics.md section 10.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "ops/isa.h"

namespace teetee::engine {

struct Candidate {
  int32_t id;
  float logit;      // after the temperature
  uint64_t weight;  // floor(exp(logit - first logit) * 2^40)
};

// Not thread-safe.
class Candidates {
 public:
  explicit Candidates(ops::Isa isa) : isa_(isa) {}

  // logits: (n), must outlive this use; mask: (n) or empty, 0 removes. Error: kInvalidArgument when nothing is left or the largest
  // logit is not finite.
  Status Load(std::span<const float> logits, std::span<const uint8_t> mask);
  // Each keeps the first candidate at least.
  void KeepTop(size_t k);             // the first k
  void KeepPrefix(double top_p);      // the shortest prefix with sum >= floor(top_p * total)
  void KeepHeavy(double min_p);       // those with weight >= floor(min(min_p, 1) * 2^40)
  int32_t Pick(uint64_t random);      // the first with prefix sum > mulhi(random, total)
  std::vector<Candidate> All();       // sorted
  size_t size() const { return keys_.size(); }

 private:
  void SortPrefix(size_t count);      // makes the first count keys final
  // Weights of keys_[begin, end).
  std::span<const uint64_t> Weights(size_t begin, size_t end);
  uint64_t Total();
  // Calls visit(index, weight) in order until it returns false, sorting as it goes.
  template <class Visit>
  void Walk(Visit visit);

  ops::Isa isa_;
  std::span<const float> logits_;
  std::vector<uint64_t> keys_;  // high half: logit, falling; low half: id. The order of candidates is the order of keys.
  size_t sorted_ = 0;           // so many keys are in their final place
  uint64_t first_key_ = 0;
  float first_ = 0;             // logit of the first candidate
  std::vector<float> gathered_, exps_;  // scratch
  std::vector<uint64_t> weights_;
};

// The candidate that u draws among (id, weight) pairs in order; REQUIRES a positive sum.
int32_t PickByWeight(std::span<const Candidate> candidates, uint64_t random);

// floor(exp(l[i] - largest) * 2^40) into out; all (n). scratch is resized as needed.
void SampleWeights(ops::Isa isa, std::span<const float> l, float largest, std::vector<float>& scratch, std::span<uint64_t> out);

}  // namespace teetee::engine
