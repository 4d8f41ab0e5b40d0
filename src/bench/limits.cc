#include "bench/limits.h"

#include <algorithm>
#include <string>

#include "base/check.h"

namespace teetee::bench {
namespace {

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

void AddMacs(const model::TensorInfo& tensor, Macs* macs) {
  if (tensor.dims.size() < 2) return;  // norms and biases
  const uint64_t products = tensor.columns() * tensor.rows();
  (ops::IsQuantised(tensor.dtype) ? macs->int8 : macs->f32) += products;
}

// Nanoseconds for so many multiply-adds at the peak.
double PeakNs(double int8_macs, double f32_macs, const MachineLimits& limits) {
  const double int8 = int8_macs == 0 ? 0 : 2 * int8_macs / limits.int8_gops;
  const double f32 = f32_macs == 0 ? 0 : 2 * f32_macs / limits.f32_gflops;
  return int8 + f32;
}

double ReadNs(const ModelWork& work, double passes, const MachineLimits& limits) {
  return static_cast<double>(work.weight_bytes) * passes / limits.read_gb_s;
}

double TokensPerSecond(size_t tokens, double ns) { return static_cast<double>(tokens) / ns * 1e9; }

double Difference(double a, double b) { return std::max(a, b) / std::min(a, b) - 1; }

}  // namespace

Result<ModelWork> ModelWork::From(const model::GgufFile& file) {
  ModelWork work;
  bool has_block = false;
  const model::TensorInfo* head = nullptr;
  for (const model::TensorInfo& tensor : file.tensors()) {
    if (StartsWith(tensor.name, "blk.")) {
      has_block = true;
      work.weight_bytes += tensor.bytes;
      AddMacs(tensor, &work.blocks);
    } else if (tensor.name == "output.weight" ||
               (tensor.name == "token_embd.weight" && head == nullptr)) {
      head = &tensor;  // a model without output.weight uses its embedding
    }
  }
  if (!has_block || head == nullptr) {
    return Error(Code::kNotFound, "the file has no blocks, or neither output head nor embedding");
  }
  work.weight_bytes += head->bytes;
  AddMacs(*head, &work.head);
  return work;
}

double PrefillLimit(const ModelWork& work, size_t tokens, const MachineLimits& limits) {
  const double n = static_cast<double>(tokens);
  const double ns =
      PeakNs(n * static_cast<double>(work.blocks.int8) + static_cast<double>(work.head.int8),
             n * static_cast<double>(work.blocks.f32) + static_cast<double>(work.head.f32), limits);
  return TokensPerSecond(tokens, ns);
}

double DecodeLimit(const ModelWork& work, size_t batch, double passes,
                   const MachineLimits& limits) {
  const double by_memory = TokensPerSecond(batch, ReadNs(work, passes, limits));
  if (batch == 1) return by_memory;
  const double ns = PeakNs(static_cast<double>(work.blocks.int8 + work.head.int8),
                           static_cast<double>(work.blocks.f32 + work.head.f32), limits);
  return std::min(by_memory, kBatchPeak * TokensPerSecond(1, ns));
}

double Drift(const ModelWork& work, Phase phase, size_t batch, const MachineLimits& before,
             const MachineLimits& after) {
  double drift = 0;
  if (phase == Phase::kDecode) drift = Difference(before.read_gb_s, after.read_gb_s);
  if (phase == Phase::kPrefill || batch > 1) {
    if (work.blocks.int8 != 0) {
      drift = std::max(drift, Difference(before.int8_gops, after.int8_gops));
    }
    if (work.blocks.f32 != 0) {
      drift = std::max(drift, Difference(before.f32_gflops, after.f32_gflops));
    }
  }
  return drift;
}

MachineLimits Mean(std::span<const MachineLimits> all) {
  TT_CHECK(!all.empty());
  const double n = static_cast<double>(all.size());
  MachineLimits mean;
  for (const MachineLimits& one : all) {
    mean.read_gb_s += one.read_gb_s / n;
    mean.int8_gops += one.int8_gops / n;
    mean.int4_gops += one.int4_gops / n;
    mean.f32_gflops += one.f32_gflops / n;
  }
  return mean;
}

}  // namespace teetee::bench
