// Guesses at the next tokens by prompt look-up: what followed the newest ids where they stood before. A guess changes no bit: it counts only when
// it is the token that sampling gives at its position (docs/formats/numerics.md section 10). Whether to guess, and how far, follows from how often
// guesses came true and what a row more costs in a step. docs/design/0006-serving-loop.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "model/config.h"

namespace teetee::engine {

using model::TokenId;

inline constexpr size_t kMaxDraft = 15;

struct DraftSettings {
  size_t most = 8;          // ids of a draft, up to kMaxDraft; 0: never guess
  double first_rate = 0.5;  // how often a guess comes true, as long as nothing is known
};

// What a row more costs in a step of `rows` rows, in steps of one token: reading the weights dominates a small step, so that a row is nearly
// free there; from about ten rows on the arithmetic does, and a row costs what a token does.
double DraftRowCost(size_t rows);

// One per answer. Thread-compatible.
class Drafter {
 public:
  explicit Drafter(DraftSettings settings = {}) : settings_(settings), rate_(settings.first_rate) {}

  // The ids of the prompt, then each that was drawn, in order.
  void Add(std::span<const TokenId> ids);

  // The ids that may follow, at most `most`; none when the newest ids are new or it would not pay at `row_cost`.
  std::vector<TokenId> Draft(size_t most, double row_cost);
  // So many of the last draft came true.
  void Judge(size_t drafted, size_t accepted);

  double rate() const { return rate_; }

 private:
  static constexpr size_t kLong = 3, kShort = 2;  // ids that have to agree
  struct Table {
    size_t length;
    std::unordered_map<uint64_t, size_t> after;  // ids -> where they ended last, the newest place left out
  };
  uint64_t KeyAt(size_t end, size_t length) const;
  size_t FindEarlier() const;  // where the newest ids ended before; 0: nowhere
  size_t LengthThatPays(double row_cost);

  DraftSettings settings_;
  double rate_;          // estimate of how often a guess comes true
  size_t held_back_ = 0;  // drafts that were not tried since the last that was
  std::vector<TokenId> ids_;
  Table tables_[2] = {{kLong, {}}, {kShort, {}}};
};

}  // namespace teetee::engine
