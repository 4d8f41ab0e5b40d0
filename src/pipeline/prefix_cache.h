// KV pages of prompts that were computed, for later prompts that begin with the same ids. A page is found by a key that the head derived from
// tenant, model, profile and every id up to the page's end (docs/formats/pipeline.md); here a key is opaque, so that whoever has no such key
// finds nothing. Pages are shared, never copied, and wiped when the cache and every sequence let go. Least recently used pages leave first.
// Thread-compatible.
#pragma once

#include <list>
#include <map>
#include <span>
#include <vector>

#include "model/kv_cache.h"
#include "pipeline/frames.h"

namespace teetee::pipeline {

class PrefixCache {
 public:
  PrefixCache(size_t page_bytes, size_t max_bytes) : page_bytes_(page_bytes), max_bytes_(max_bytes) {}

  // The pages of the longest run of keys from the first on.
  std::vector<model::KvColumn> Find(std::span<const PrefixKey> keys);
  // Keeps pages[i] under keys[i]; one that is there already stays. Makes room within max_bytes and `room` bytes.
  void Keep(std::span<const PrefixKey> keys, std::vector<model::KvColumn> pages, size_t room);
  // Lets pages go until at most `bytes` are held.
  void ShrinkTo(size_t bytes);

  size_t bytes() const { return entries_.size() * page_bytes_; }
  uint64_t hits() const { return hits_; }       // pages found
  uint64_t misses() const { return misses_; }   // pages asked for and not there

 private:
  struct Entry {
    model::KvColumn pages;
    std::list<PrefixKey>::iterator use;
  };
  void Touch(Entry& entry);

  size_t page_bytes_;
  size_t max_bytes_;
  std::map<PrefixKey, Entry> entries_;
  std::list<PrefixKey> uses_;  // latest first
  uint64_t hits_ = 0, misses_ = 0;
};

}  // namespace teetee::pipeline
