// The seam for a model family: how a block is made from its tensors. A new family is an
// Architecture with its keys and tensors in config.cc, one class here and one line in MakeFamily;
// loading, batching, caches, embedding and head (shard.h) stay.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/block.h"
#include "model/config.h"
#include "ops/packed_matrix.h"

namespace teetee::model {

// Weights that were read, waiting for their owners. Takes and gives by name.
class WeightSet {
 public:
  using Vector = std::vector<float>;
  void Put(std::string name, ops::PackedMatrix matrix);
  void Put(std::string name, Vector vector);
  bool Has(std::string_view name) const;
  // REQUIRES: Put under this name and this kind, and not yet taken.
  ops::PackedMatrix TakeMatrix(std::string_view name);
  Vector TakeVector(std::string_view name);

 private:
  std::map<std::string, std::variant<ops::PackedMatrix, Vector>, std::less<>> weights_;
};

// Stateless; thread-safe.
class Family {
 public:
  virtual ~Family() = default;
  // Block `index` of the model, from its tensors of ExpectedTensors (config.h), which it takes out
  // of `weights`. REQUIRES: each was put, with its shape.
  virtual std::unique_ptr<Block> MakeBlock(const ModelConfig& config, size_t index, ops::Isa isa,
                                           WeightSet& weights) const = 0;
};

std::unique_ptr<Family> MakeFamily(Architecture architecture);
std::unique_ptr<Family> MakeLlamaFamily();  // family_llama.cc

}  // namespace teetee::model
