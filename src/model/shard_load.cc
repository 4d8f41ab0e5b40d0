// How a shard comes out of a file: which tensors it must hold, reading each once, packing,
// building.
#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <set>
#include <string>
#include <thread>
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

// Bytes that are read, handed to the sink and packed at a time: they stay in the second-level cache.
constexpr size_t kPieceBytes = size_t{256} << 10;

// Loads tensors on several threads; each takes the next one in the order of the file.
class WeightLoader {
 public:
  WeightLoader(const GgufFile& file, std::vector<const TensorInfo*> tensors, ops::Isa isa,
               const TensorSink& sink)
      : file_(file), tensors_(std::move(tensors)), isa_(isa), sink_(sink) {}

  Result<WeightSet> Run() {
    const size_t threads = std::max(1u, std::thread::hardware_concurrency());
    std::vector<std::future<void>> others;
    for (size_t i = 1; i < std::min(threads, tensors_.size()); ++i) {
      others.push_back(std::async(std::launch::async, [this] { Work(); }));
    }
    Work();
    for (std::future<void>& other : others) other.get();
    if (error_) return *std::move(error_);
    return std::move(weights_);
  }

 private:
  void Work() {
    const ops::ScopedFpState fp;
    while (!failed_.load()) {
      const size_t i = next_.fetch_add(1);
      if (i >= tensors_.size()) return;
      const Status done = tensors_[i]->dims.size() == 1 ? LoadVector(*tensors_[i]) : LoadMatrix(*tensors_[i]);
      if (!done) Fail(i, done.error());
    }
  }

  // The error that counts is that of the first tensor in the file: all before it were taken before it.
  void Fail(size_t i, const Error& error) {
    failed_.store(true);
    const std::lock_guard lock(mutex_);
    if (error_ && failed_tensor_ < i) return;
    failed_tensor_ = i;
    error_ = error;
  }

  Status Read(const TensorInfo& tensor, uint64_t begin, std::span<uint8_t> out) const {
    TT_RETURN_IF_ERROR(file_.ReadTensorPart(tensor, begin, out));
    return sink_ ? sink_(tensor, begin, out) : Status(Ok{});
  }

  Status LoadVector(const TensorInfo& tensor) {
    if (ops::IsQuantised(tensor.dtype)) {
      return Error(Code::kInvalidArgument, "tensor " + tensor.name +
                                               ": expected F32, F16 or BF16, found " +
                                               std::string(ops::DTypeName(tensor.dtype)));
    }
    Bytes bytes(tensor.bytes);
    TT_RETURN_IF_ERROR(Read(tensor, 0, bytes));
    auto packed = ops::PackedMatrix::Pack(ops::Isa::kScalar, tensor.dtype, 1, tensor.columns(), bytes);
    if (!packed) return std::move(packed).error().Context("tensor " + tensor.name);
    WeightSet::Vector vector(tensor.columns());
    packed->Row(0, vector.data());
    const std::lock_guard lock(mutex_);
    weights_.Put(tensor.name, std::move(vector));
    return Ok{};
  }

  Status LoadMatrix(const TensorInfo& tensor) {
    auto matrix = ops::PackedMatrix::Empty(isa_, tensor.dtype, tensor.rows(), tensor.columns());
    if (!matrix) return std::move(matrix).error().Context("tensor " + tensor.name);
    const size_t row_bytes = tensor.bytes / tensor.rows();
    const size_t rows_at_once = std::max<size_t>(1, kPieceBytes / row_bytes);
    Bytes piece(std::min<size_t>(rows_at_once, tensor.rows()) * row_bytes);
    for (size_t row = 0; row < tensor.rows(); row += rows_at_once) {
      const size_t count = std::min<size_t>(rows_at_once, tensor.rows() - row);
      const std::span<uint8_t> bytes = std::span(piece).first(count * row_bytes);
      TT_RETURN_IF_ERROR(Read(tensor, row * row_bytes, bytes));
      Status packed = matrix->PackRows(row, bytes);
      if (!packed) return std::move(packed).error().Context("tensor " + tensor.name);
    }
    const std::lock_guard lock(mutex_);
    weights_.Put(tensor.name, *std::move(matrix));
    return Ok{};
  }

  const GgufFile& file_;
  const std::vector<const TensorInfo*> tensors_;
  const ops::Isa isa_;
  const TensorSink& sink_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;  // of what follows
  WeightSet weights_;
  std::optional<Error> error_;
  size_t failed_tensor_ = 0;
};

}  // namespace

Result<std::unique_ptr<Shard>> Shard::Load(const GgufFile& file, const ModelConfig& config,
                                           BlockRange range, ops::Isa isa, TensorSink sink) {
  const BlockRange held = TT_TRY(RangeOf(file, config));
  TT_RETURN_IF_ERROR(CheckRange(config, range, held));
  TT_RETURN_IF_ERROR(CheckTensors(file, config, held));
  WeightSet weights = TT_TRY(WeightLoader(file, ChooseTensors(file, config, range), isa, sink).Run());
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
