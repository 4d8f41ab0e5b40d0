#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/tile.h"
#include "ops/packed_matrix.h"

namespace teetee::ops {
namespace {

constexpr uint32_t kInfinityBits = 0x7f800000u;
// A task is small enough that threads end together and that a core which is taken away keeps nobody waiting for long, and large
// enough that handing it out costs nothing: so many bytes of weights, or Kernels::task_macs.
constexpr size_t kTaskBytes = 48u << 10;

// How one product is cut into tasks.
struct Cut {
  const PackedMatrix* w;
  float* y;
  size_t lanes;  // rows of a tile
  size_t n_tiles;
  size_t tile_bytes;
  size_t per_task;    // tiles
  size_t first_task;  // of this product in the loop over all
};

Cut CutProduct(const Product& product, size_t n, size_t first_task) {
  const PackedMatrix& w = *product.w;
  const cpu::Kernels& kernels = cpu::KernelsFor(w.isa());
  Cut cut{product.w, product.y, 0, 0, 0, 0, first_task};
  cut.lanes = IsQuantised(w.dtype()) ? kernels.tile_rows : kernels.float_tile_rows;
  cut.n_tiles = (w.rows() - 1) / cut.lanes + 1;
  cut.tile_bytes = w.bytes() / cut.n_tiles;
  const size_t by_bytes = kTaskBytes / cut.tile_bytes;
  const size_t by_work = kernels.task_macs / (cut.lanes * w.k() * n);
  const size_t at_once = kernels.matmul_tiles * (n == 1 ? kernels.matmul_streams : 1);
  const size_t tiles = std::max<size_t>(1, std::min(by_bytes, by_work));
  cut.per_task = (tiles + at_once - 1) / at_once * at_once;
  return cut;
}

size_t Tasks(const Cut& cut) { return (cut.n_tiles - 1) / cut.per_task + 1; }

void RunTask(const Cut& cut, size_t task, const Activations& x, size_t n) {
  const PackedMatrix& w = *cut.w;
  const size_t tile = (task - cut.first_task) * cut.per_task;
  cpu::MatMulArgs args{};
  args.dtype = w.dtype();
  args.tiles = w.data() + tile * cut.tile_bytes;
  args.tile_bytes = cut.tile_bytes;
  args.n_tiles = std::min(cut.per_task, cut.n_tiles - tile);
  args.rows = std::min(args.n_tiles * cut.lanes, w.rows() - tile * cut.lanes);
  args.k = w.k();
  args.n = n;
  args.n_grouped = x.n();
  args.x = x.x();
  args.q = x.q();
  args.dx = x.dx();
  args.dx_sum = x.dx_sum();
  args.sums = x.sums();
  args.y = cut.y + tile * cut.lanes;
  args.y_stride = w.rows();
  cpu::KernelsFor(w.isa()).matmul(args);
}

void CheckInput(const PackedMatrix& w, const Activations& x, size_t n) {
  TT_CHECK(x.k() == w.k() && n <= x.n());
  TT_CHECK(IsQuantised(w.dtype()) ? x.has_blocks() && x.isa() == w.isa() : x.has_floats());
}

}  // namespace

Status Activations::Reshape(Isa isa, size_t n, size_t k, bool blocks, bool floats) {
  if (blocks && k % 32 != 0) {
    return Error(Code::kInvalidArgument, "activations: length is no multiple of 32");
  }
  isa_ = isa;
  n_ = n;
  k_ = k;
  has_blocks_ = blocks;
  has_floats_ = floats;
  if (floats) x_.resize(n * k);
  if (!blocks || n == 0) return Ok{};
  const size_t most = cpu::KernelsFor(isa).group_rows;
  const size_t last = (n - 1) / most * most;  // first row of the last group
  const size_t rows = last + cpu::GroupSize(n - last, most);
  const size_t cells = rows * (k / 32), begin = last * (k / 32);
  q_.resize(cells * 32);
  dx_.resize(cells);
  dx_sum_.resize(cells);
  sums_.resize(cells);
  if (rows == n) return Ok{};
  std::fill(q_.begin() + static_cast<std::ptrdiff_t>(begin * 32), q_.end(), int8_t{0});
  std::fill(dx_.begin() + static_cast<std::ptrdiff_t>(begin), dx_.end(), 0.0f);
  std::fill(dx_sum_.begin() + static_cast<std::ptrdiff_t>(begin), dx_sum_.end(), 0.0f);
  std::fill(sums_.begin() + static_cast<std::ptrdiff_t>(begin), sums_.end(), 0);
  return Ok{};
}

bool Activations::SetRow(size_t row, const float* x) {
  TT_CHECK(row < n_);
  const cpu::Kernels& kernels = cpu::KernelsFor(isa_);
  if (has_floats_) std::memcpy(x_.data() + row * k_, x, k_ * sizeof(float));
  if (!has_blocks_) return kernels.all_below(x, k_, kInfinityBits);
  const size_t group = row / kernels.group_rows * kernels.group_rows;
  const size_t size = cpu::GroupSize(n_ - group, kernels.group_rows);
  const size_t at = group * (k_ / 32) + (row - group);
  return kernels.quantise(x, k_, {q_.data() + 32 * at, dx_.data() + at, dx_sum_.data() + at, sums_.data() + at, size});
}

Status Activations::Set(Isa isa, const float* x, size_t n, size_t k, bool need_blocks) {
  TT_RETURN_IF_ERROR(Reshape(isa, n, k, need_blocks, /*floats=*/true));
  bool is_finite = true;
  for (size_t row = 0; row < n; ++row) is_finite = SetRow(row, x + row * k) && is_finite;
  if (!is_finite) return Error(Code::kInvalidArgument, "activations: a value is not finite");
  return Ok{};
}

void MatMul(std::span<const Product> products, const Activations& x, size_t n, ThreadPool& pool) {
  if (n == 0 || products.empty()) return;
  std::vector<Cut> cuts;
  size_t tasks = 0;
  for (const Product& product : products) {
    CheckInput(*product.w, x, n);
    cuts.push_back(CutProduct(product, n, tasks));
    tasks += Tasks(cuts.back());
  }
  pool.ParallelFor(tasks, [&](size_t task) {
    size_t i = cuts.size() - 1;
    while (cuts[i].first_task > task) --i;
    RunTask(cuts[i], task, x, n);
  });
}

void MatMul(const PackedMatrix& w, const Activations& x, size_t n, float* y, ThreadPool& pool) {
  const Product product{&w, y};
  MatMul(std::span(&product, 1), x, n, pool);
}

}  // namespace teetee::ops
