// How a shard comes out of a file: which tensors it must hold, reading each once, packing,
// building.
#include <algorithm>
#include <future>
#include <set>
#include <string>
#include <utility>

#include "model/shard.h"
#include "ops/fp_env.h"

namespace teetee::model {
namespace {

constexpr std::string_view kEmbedding = "token_embd.weight";
constexpr std::string_view kOutputNorm = "output_norm.weight";
constexpr std::string_view kOutput = "output.weight";
constexpr std::string_view kRopeFreqs = "rope_freqs.weight";

Status CheckRange(const ModelConfig& c, const BlockRange& want, const BlockRange& file) {
  const bool inside =
      want.count >= 1 && want.first <= c.n_layers && want.count <= c.n_layers - want.first;
  if (!inside || want.with_embedding != (want.first == 0) ||
      want.with_head != (want.first + want.count == c.n_layers)) {
    return Error(Code::kInvalidArgument, "blocks " + std::to_string(want.first) + " + " +
                                             std::to_string(want.count) + " make no shard of " +
                                             std::to_string(c.n_layers) + " blocks");
  }
  if (want.first < file.first || want.first + want.count > file.first + file.count) {
    return Error(Code::kInvalidArgument, "the file holds blocks " + std::to_string(file.first) +
                                             " + " + std::to_string(file.count) + ", wanted " +
                                             std::to_string(want.first) + " + " +
                                             std::to_string(want.count));
  }
  return Ok{};
}

// The tensors of the range, in the order of the file. REQUIRES: CheckTensors was passed.
std::vector<const TensorInfo*> ChooseTensors(const GgufFile& file, const ModelConfig& config,
                                             const BlockRange& range) {
  std::set<std::string> wanted;
  for (ExpectedTensor& tensor : ExpectedTensors(config, range))
    wanted.insert(std::move(tensor.name));
  std::vector<const TensorInfo*> chosen;
  for (const TensorInfo& tensor : file.tensors()) {
    if (wanted.contains(tensor.name)) chosen.push_back(&tensor);
  }
  return chosen;
}

ops::RopeParams RopeParamsOf(const RopeConfig& rope) {
  ops::RopeParams out;
  out.rotary_dim = rope.dim;
  out.base = rope.base;
  switch (rope.scaling) {
    case RopeScaling::kNone:
      return out;
    case RopeScaling::kLinear:
      out.scaling = ops::RopeScaling::kLinear;
      break;
    case RopeScaling::kYarn:
      out.scaling = ops::RopeScaling::kYarn;
      break;
  }
  out.factor = rope.factor;
  out.orig_context = static_cast<float>(rope.original_context);
  out.attn_factor = rope.attn_factor;
  out.beta_fast = rope.beta_fast;
  out.beta_slow = rope.beta_slow;
  return out;
}

struct Loaded {
  std::string name;
  std::optional<ops::PackedMatrix> matrix;  // or, for a tensor of one dimension:
  WeightSet::Vector vector;
};

Result<Loaded> PackTensor(const TensorInfo& tensor, ops::Isa isa, Bytes bytes) {
  const ops::ScopedFpState fp;
  Loaded out{tensor.name, std::nullopt, {}};
  const bool is_vector = tensor.dims.size() == 1;
  if (is_vector && ops::IsQuantised(tensor.dtype)) {
    return Error(Code::kInvalidArgument, "tensor " + tensor.name +
                                             ": expected F32, F16 or BF16, found " +
                                             std::string(ops::DTypeName(tensor.dtype)));
  }
  auto packed = ops::PackedMatrix::Pack(is_vector ? ops::Isa::kScalar : isa, tensor.dtype,
                                        tensor.rows(), tensor.columns(), bytes);
  if (!packed) return std::move(packed).error().Context("tensor " + tensor.name);
  if (is_vector) {
    out.vector.resize(tensor.columns());
    packed->Row(0, out.vector.data());
  } else {
    out.matrix = *std::move(packed);
  }
  return out;
}

void PutLoaded(Loaded loaded, WeightSet& weights) {
  if (loaded.matrix) {
    weights.Put(std::move(loaded.name), *std::move(loaded.matrix));
  } else {
    weights.Put(std::move(loaded.name), std::move(loaded.vector));
  }
}

// One tensor is read and hashed on this thread while the one before it is packed on another: at
// most two are held as bytes.
Result<WeightSet> ReadWeights(const GgufFile& file, const std::vector<const TensorInfo*>& tensors,
                              ops::Isa isa, const TensorSink& sink) {
  WeightSet weights;
  std::future<Result<Loaded>> packing;
  for (const TensorInfo* tensor : tensors) {
    Bytes bytes = TT_TRY(file.ReadTensor(*tensor));
    if (sink) TT_RETURN_IF_ERROR(sink(*tensor, bytes));
    if (packing.valid()) PutLoaded(TT_TRY(packing.get()), weights);
    packing = std::async(std::launch::async, [tensor, isa, held = std::move(bytes)]() mutable {
      return PackTensor(*tensor, isa, std::move(held));
    });
  }
  if (packing.valid()) PutLoaded(TT_TRY(packing.get()), weights);
  return weights;
}

}  // namespace

Result<std::unique_ptr<Shard>> Shard::Load(const GgufFile& file, const ModelConfig& config,
                                           BlockRange range, ops::Isa isa, TensorSink sink) {
  const BlockRange held = TT_TRY(RangeOf(file, config));
  TT_RETURN_IF_ERROR(CheckRange(config, range, held));
  TT_RETURN_IF_ERROR(CheckTensors(file, config, held));
  WeightSet weights = TT_TRY(ReadWeights(file, ChooseTensors(file, config, range), isa, sink));
  std::unique_ptr<Shard> shard(new Shard(config, range, isa));
  TT_RETURN_IF_ERROR(shard->Build(std::move(weights)));
  return shard;
}

Status Shard::Build(WeightSet weights) {
  ops::RopeParams rope = RopeParamsOf(config_.rope);
  if (weights.Has(kRopeFreqs)) rope.factors = weights.TakeVector(kRopeFreqs);
  rope_ = TT_TRY(ops::RopeTable::Make(rope, config_.context_length));
  const std::unique_ptr<Family> family = MakeFamily(config_.architecture);
  for (size_t i = range_.first; i < range_.first + range_.count; ++i) {
    blocks_.push_back(family->MakeBlock(config_, i, isa_, weights));
  }
  if (weights.Has(kEmbedding)) embedding_ = weights.TakeMatrix(kEmbedding);
  if (weights.Has(kOutput)) head_ = weights.TakeMatrix(kOutput);
  if (weights.Has(kOutputNorm)) output_norm_ = weights.TakeVector(kOutputNorm);
  return Ok{};
}

}  // namespace teetee::model
