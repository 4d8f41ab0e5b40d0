// What a node knows before it opens a socket: the model it serves, proved from the bytes of its shard up to the model id of the trust file.
#pragma once

#include <memory>

#include "apps/teetee_node/options.h"
#include "attest/policy/trust_file.h"
#include "chain/model_id.h"
#include "manifest/manifest.h"
#include "model/shard.h"
#include "model/tokenizer.h"

namespace teetee::node {

struct ModelFacts {
  attest::TrustFile trust;
  std::string trust_text;
  chain::Model params;
  Hash32 model{};
  manifest::Manifest manifest;
  Bytes manifest_bytes;
  uint32_t slot = 0;
  std::unique_ptr<model::Shard> shard;
  std::optional<model::Tokenizer> tokenizer;  // slot 0
  Hash32 weights_root{};
};

// Reads and checks everything; each tensor is read once, hashed, compared with the manifest and packed from the same bytes; then the slot's
// known answers are computed. kDataLoss names the tensor that differs.
Result<ModelFacts> LoadFacts(const Options& options);

}  // namespace teetee::node
