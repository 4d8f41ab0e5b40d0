// The merging of adjacent symbols that SentencePiece-style and byte-level BPE share: always the
// best pair, the leftmost of equals, by a priority queue with stale entries. O(n log n). Private to
// this module.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

namespace teetee::model {

struct MergeSymbol {
  uint32_t begin;  // bytes of the text, or whatever the caller counts in
  uint32_t size;   // 0: merged into its left neighbour
  uint32_t piece;  // the caller's name for it
  int32_t previous;
  int32_t next;
};

struct Merge {
  double cost;     // smaller merges first
  uint32_t piece;  // of the result
};

// Links symbols in their order. REQUIRES fewer than 2^31.
inline void LinkSymbols(std::vector<MergeSymbol>& symbols) {
  for (size_t i = 0; i < symbols.size(); ++i) {
    symbols[i].previous = static_cast<int32_t>(i) - 1;
    symbols[i].next = i + 1 < symbols.size() ? static_cast<int32_t>(i) + 1 : -1;
  }
}

// lookup(left, right) -> std::optional<Merge>. Afterwards the list from symbols[0] by `next` holds
// the result.
template <class Lookup>
void MergeSymbols(std::vector<MergeSymbol>& symbols, const Lookup& lookup) {
  struct Candidate {
    double cost;
    int32_t left;
    int32_t right;
    uint32_t size;
    uint32_t piece;
    bool operator<(const Candidate& o) const {  // of a max-heap: true if worse
      return cost != o.cost ? cost > o.cost : left > o.left;
    }
  };
  std::priority_queue<Candidate> queue;
  auto consider = [&](int32_t left, int32_t right) {
    if (left < 0 || right < 0) return;
    const MergeSymbol& a = symbols[static_cast<size_t>(left)];
    const MergeSymbol& b = symbols[static_cast<size_t>(right)];
    if (std::optional<Merge> merge = lookup(a, b)) {
      queue.push({merge->cost, left, right, a.size + b.size, merge->piece});
    }
  };
  for (size_t i = 1; i < symbols.size(); ++i)
    consider(static_cast<int32_t>(i) - 1, static_cast<int32_t>(i));
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    MergeSymbol& a = symbols[static_cast<size_t>(best.left)];
    MergeSymbol& b = symbols[static_cast<size_t>(best.right)];
    if (a.size == 0 || b.size == 0 || a.size + b.size != best.size)
      continue;  // one of them grew since
    a.size = best.size;
    a.piece = best.piece;
    b.size = 0;
    a.next = b.next;
    if (b.next >= 0) symbols[static_cast<size_t>(b.next)].previous = best.left;
    consider(a.previous, best.left);
    consider(best.left, a.next);
  }
}

}  // namespace teetee::model
