#include "engine/draft.h"

#include <algorithm>

namespace teetee::engine {
namespace {

constexpr double kRateStep = 0.1;     // weight of one guess in the estimate
constexpr size_t kTryAgainAfter = 16;  // drafts held back before one id is tried

}  // namespace

double DraftRowCost(size_t rows) { return std::max(0.15, 0.1 * static_cast<double>(rows)); }

// ids are below 2^20 (ConfigLimits::kMaxVocab), so three fit.
uint64_t Drafter::KeyAt(size_t end, size_t length) const {
  uint64_t key = 0;
  for (size_t i = end - length; i < end; ++i) key = key << 21 | ids_[i];
  return key;
}

void Drafter::Add(std::span<const TokenId> ids) {
  if (settings_.most == 0) return;
  for (TokenId id : ids) {
    for (Table& table : tables_) {
      if (ids_.size() >= table.length) table.after[KeyAt(ids_.size(), table.length)] = ids_.size();
    }
    ids_.push_back(id);
  }
}

size_t Drafter::FindEarlier() const {
  for (const Table& table : tables_) {
    if (ids_.size() < table.length) continue;
    auto found = table.after.find(KeyAt(ids_.size(), table.length));
    if (found != table.after.end()) return found->second;
  }
  return 0;
}

// The j-th guess counts only if all before it came true: it pays while rate^j is above the cost of its row.
size_t Drafter::LengthThatPays(double row_cost) {
  size_t length = 0;
  double chance = rate_;
  for (; length < settings_.most && chance > row_cost; chance *= rate_) ++length;
  if (length > 0) return length;
  if (row_cost >= 1 || ++held_back_ < kTryAgainAfter) return 0;
  return 1;
}

std::vector<TokenId> Drafter::Draft(size_t most, double row_cost) {
  std::vector<TokenId> out;
  if (settings_.most == 0 || most == 0) return out;
  const size_t earlier = FindEarlier();
  if (earlier == 0) return out;
  const size_t length = std::min(most, LengthThatPays(row_cost));
  for (size_t i = earlier; out.size() < length; ++i) {
    out.push_back(i < ids_.size() ? ids_[i] : out[i - ids_.size()]);  // a loop goes on as it began
  }
  return out;
}

void Drafter::Judge(size_t drafted, size_t accepted) {
  if (drafted == 0) return;
  held_back_ = 0;
  for (size_t i = 0; i < accepted; ++i) rate_ += kRateStep * (1 - rate_);
  if (accepted < drafted) rate_ -= kRateStep * rate_;
}

}  // namespace teetee::engine
