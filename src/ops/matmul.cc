#include <algorithm>

#include "base/check.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/tile.h"
#include "ops/packed_matrix.h"

namespace teetee::ops {
namespace {

constexpr uint32_t kInfinityBits = 0x7f800000u;
// Weights of one task: stays in half of an L2 cache while every activation vector passes over it.
constexpr size_t kTaskBytes = 128u << 10;
constexpr size_t kTasksPerThread = 4;

// Tiles per task: few enough to share out evenly, small enough to stay cached, and at least one.
size_t TilesPerTask(size_t n_tiles, size_t tile_bytes, size_t threads) {
  size_t by_cache = std::max<size_t>(1, kTaskBytes / tile_bytes);
  size_t by_balance = std::max<size_t>(1, n_tiles / (threads * kTasksPerThread));
  return std::min(by_cache, by_balance);
}

}  // namespace

Status Activations::Set(Isa isa, const float* x, size_t n, size_t k, bool need_blocks) {
  if (need_blocks && k % 32 != 0) {
    return Error(Code::kInvalidArgument, "activations: length is no multiple of 32");
  }
  const cpu::Kernels& kernels = cpu::KernelsFor(isa);
  n_ = n;
  k_ = k;
  has_blocks_ = need_blocks;
  x_.assign(x, x + n * k);
  if (!kernels.all_below(x_.data(), n * k, kInfinityBits)) {
    return Error(Code::kInvalidArgument, "activations: a value is not finite");
  }
  if (!need_blocks) return Ok{};
  const size_t blocks = k / 32;
  q_.resize(n * k);
  dx_.resize(n * blocks);
  dx_sum_.resize(n * blocks);
  sums_.resize(n * blocks * 2);
  // Rows lie behind each other without a gap, so all blocks are quantised in one call.
  bool is_finite = kernels.quantise(x_.data(), n * k, q_.data(), dx_.data(), dx_sum_.data(),
                                    sums_.data());
  TT_CHECK(is_finite);
  return Ok{};
}

void MatMul(const PackedMatrix& w, const Activations& x, size_t n, float* y, ThreadPool& pool) {
  TT_CHECK(x.k() == w.k() && n <= x.n() && (x.has_blocks() || !IsQuantised(w.dtype())));
  if (n == 0) return;
  const cpu::Kernels& kernels = cpu::KernelsFor(w.isa());
  const size_t lanes = IsQuantised(w.dtype()) ? kernels.tile_rows : kernels.float_tile_rows;
  const size_t n_tiles = (w.rows() - 1) / lanes + 1;
  const size_t tile_bytes = w.bytes() / n_tiles;
  const size_t per_task = TilesPerTask(n_tiles, tile_bytes, pool.threads());
  const bool blocks = x.has_blocks();
  pool.ParallelFor((n_tiles - 1) / per_task + 1, [&](size_t task) {
    const size_t tile = task * per_task;
    cpu::MatMulArgs args{};
    args.dtype = w.dtype();
    args.tiles = w.data() + tile * tile_bytes;
    args.tile_bytes = tile_bytes;
    args.n_tiles = std::min(per_task, n_tiles - tile);
    args.rows = std::min(args.n_tiles * lanes, w.rows() - tile * lanes);
    args.k = w.k();
    args.n = n;
    args.x = x.x(0);
    args.q = blocks ? x.q(0) : nullptr;
    args.dx = blocks ? x.dx(0) : nullptr;
    args.dx_sum = blocks ? x.dx_sum(0) : nullptr;
    args.sums = blocks ? x.sums(0) : nullptr;
    args.y = y + tile * lanes;
    args.y_stride = w.rows();
    kernels.matmul(args);
  });
}

}  // namespace teetee::ops
