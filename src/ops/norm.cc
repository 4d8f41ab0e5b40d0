#include "ops/norm.h"

#include "ops/cpu/kernels.h"
#include "ops/sum.h"

namespace teetee::ops {
namespace {

constexpr uint32_t kInfinityBits = 0x7f800000u;

Status NotFinite() { return Error(Code::kInvalidArgument, "norm: the input is not finite"); }

}  // namespace

Status RmsNorm(Isa isa, const float* x, const float* w, size_t rows, size_t n, float eps, float* y) {
  const cpu::Kernels& kernels = cpu::KernelsFor(isa);
  if (!kernels.all_below(x, rows * n, kInfinityBits)) return NotFinite();
  for (size_t r = 0; r < rows; ++r) kernels.rms_norm(x + r * n, w, n, eps, y + r * n);
  return Ok{};
}

Status LayerNorm(Isa isa, const float* x, const float* w, const float* b, size_t rows, size_t n,
                 float eps, float* y) {
  const cpu::Kernels& kernels = cpu::KernelsFor(isa);
  if (!kernels.all_below(x, rows * n, kInfinityBits)) return NotFinite();
  for (size_t r = 0; r < rows; ++r) kernels.layer_norm(x + r * n, w, b, n, eps, y + r * n);
  return Ok{};
}

}  // namespace teetee::ops
