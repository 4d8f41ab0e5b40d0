#include "pipeline/prefix_cache.h"

#include <algorithm>

namespace teetee::pipeline {

void PrefixCache::Touch(Entry& entry) { uses_.splice(uses_.begin(), uses_, entry.use); }

// The first page is touched last: a prefix loses its end before its beginning.
std::vector<model::KvColumn> PrefixCache::Find(std::span<const PrefixKey> keys) {
  std::vector<model::KvColumn> out;
  for (const PrefixKey& key : keys) {
    auto found = entries_.find(key);
    if (found == entries_.end()) break;
    out.push_back(found->second.pages);
  }
  for (size_t i = out.size(); i-- > 0;) Touch(entries_.at(keys[i]));
  hits_ += out.size();
  misses_ += keys.size() - out.size();
  return out;
}

void PrefixCache::Keep(std::span<const PrefixKey> keys, std::vector<model::KvColumn> pages, size_t room) {
  const size_t most = std::min(max_bytes_, room) / page_bytes_;
  const size_t count = std::min({keys.size(), pages.size(), most});
  for (size_t i = count; i-- > 0;) {
    auto found = entries_.find(keys[i]);
    if (found != entries_.end()) {
      Touch(found->second);
      continue;
    }
    uses_.push_front(keys[i]);
    entries_[keys[i]] = {std::move(pages[i]), uses_.begin()};
  }
  ShrinkTo(most * page_bytes_);
}

void PrefixCache::ShrinkTo(size_t bytes) {
  while (this->bytes() > bytes) {
    entries_.erase(uses_.back());
    uses_.pop_back();
  }
}

}  // namespace teetee::pipeline
