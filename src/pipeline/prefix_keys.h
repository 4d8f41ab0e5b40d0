// What the pages of a prompt are called in every stage's prefix cache. A key is a chain of HMACs under a secret of the head, over payer, model,
// numeric profile, plan and every id up to the page's end: equal keys mean equal pages, and nobody else can tell what a key stands for or make
// one that finds something. Source: docs/formats/pipeline.md.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "pipeline/frames.h"

namespace teetee::pipeline {

class PrefixKeys {
 public:
  // tenant: who pays, as bytes; plan: its hash (pages of other nodes are not mixed in, so that blame stays with one stage).
  PrefixKeys(const Secret<32>& secret, std::string_view tenant, const Hash32& model, const Hash32& plan);

  // Keys of the whole pages of `ids`, in order, at most kMaxPrefixKeys.
  std::vector<PrefixKey> Of(std::span<const uint32_t> ids) const;

 private:
  Secret<32> secret_;
  Hash32 root_{};
};

// A head's key as a stage stores it: heads share nothing.
PrefixKey KeyOfHead(const ByteArray<20>& head, const PrefixKey& key);

}  // namespace teetee::pipeline
