// teetee model split | inspect | hash | verify: what each does, as plain functions over files, and
// their registration. Each returns its result as JSON, which --json prints as it stands.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/json.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace teetee::cli {

void AddModelCommands(CLI::App& app);

// Called with what is being done and how much of it is; from the thread that works.
using ModelProgress =
    std::function<void(const std::string& what, uint64_t done_bytes, uint64_t all_bytes)>;

struct SplitRequest {
  std::string model;   // GGUF file of a whole model
  uint32_t slots = 0;  // 0: as many as the cuts give, else 1
  std::string cuts;  // "12,20": first blocks of slots 1, 2; must agree with slots if both are given
  std::string name;    // of the model in the API; empty: general.name of the file
  std::string system;  // default system message; empty: what the model's own template does
  std::string folder;  // made if absent; gets slot-0.gguf, slot-1.gguf, ... and manifest.json
};
// {"manifest_hash","tensors_root","manifest","slots":[{"file","first_block","block_count",
// "weights_root"}]}. manifest.json is written last: where it lies, the shards are complete.
Result<Json> SplitModel(const SplitRequest& request, const ModelProgress& progress = {});

// Configuration, metadata and tensors of a GGUF file (also of one that we cannot compute).
Result<Json> InspectModel(const std::string& path);

// Of a GGUF file: its tensors' hashes, their root, the tokenizer's hash. Of a manifest: its hash. Of
// the parameters of a model on chain (protocol/model_params.h): the model's id.
Result<Json> HashModel(const std::string& path, const ModelProgress& progress = {});

// Every file that the manifest in `path` (or in the folder `path`) names, against it: file hash,
// configuration, blocks, each tensor, root, tokenizer. kDataLoss names the first check that fails.
Result<Json> VerifyModel(const std::string& path, const ModelProgress& progress = {});

}  // namespace teetee::cli
