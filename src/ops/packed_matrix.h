// Weight matrices and the product y = W x with the exact arithmetic of profile 1.
// Source: docs/formats/numerics.md sections 1 to 3. Layout of the packed bytes: cpu/tile.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "ops/aligned_buffer.h"
#include "ops/dtype.h"
#include "ops/isa.h"
#include "ops/thread_pool.h"

namespace teetee::ops {

// A (rows, k) weight matrix in the layout that one instruction set's kernels read. Immutable and thread-safe
// once packed.
class PackedMatrix {
 public:
  // gguf_bytes: the tensor as GGUF stores it, row-major, exactly TensorBytes(dtype, rows, k) bytes. They are copied: the
  // caller's memory (a mapped file that another process could change) is read once and not kept.
  // kInvalidArgument: sizes do not match, or a scale or float weight is not finite.
  // kFailedPrecondition: this machine lacks isa.
  static Result<PackedMatrix> Pack(Isa isa, DType dtype, size_t rows, size_t k,
                                   ByteView gguf_bytes);

  // The same in pieces: room for the matrix, zeroed, then rows [first, first + n) from their n GGUF rows, in any order.
  // REQUIRES (PackRows): whole rows, within the matrix, and nobody computes with it yet.
  static Result<PackedMatrix> Empty(Isa isa, DType dtype, size_t rows, size_t k);
  Status PackRows(size_t first, ByteView gguf_rows);

  PackedMatrix(PackedMatrix&&) = default;
  PackedMatrix& operator=(PackedMatrix&&) = default;

  size_t rows() const { return rows_; }
  size_t k() const { return k_; }
  DType dtype() const { return dtype_; }
  Isa isa() const { return isa_; }
  size_t bytes() const { return data_.size(); }  // of packed memory held
  const uint8_t* data() const { return data_.data(); }  // for kernels

  // Row i widened or dequantised (an embedding row). out: (k). REQUIRES: i < rows().
  void Row(size_t i, float* out) const;

 private:
  PackedMatrix() = default;

  Isa isa_ = Isa::kScalar;
  DType dtype_ = DType::kF32;
  size_t rows_ = 0;
  size_t k_ = 0;
  AlignedBuffer data_;
};

// The input of a product: n vectors of k floats, as int8 blocks for quantised weights, as they are for float weights. Make it
// once per vector and use it for every matrix that reads the same vector (q, k and v; gate and up). Buffers are kept from one
// shape to the next. Thread-compatible, but for SetRow.
class Activations {
 public:
  // x: (n, k), copied. need_blocks: also quantise, for matrices of a quantised type.
  // kInvalidArgument: a value is not finite, or need_blocks and k is no multiple of 32. The content is then unspecified.
  Status Set(Isa isa, const float* x, size_t n, size_t k, bool need_blocks);

  // The same in pieces: room for n vectors, whose rows SetRow then fills. blocks, floats: what is kept of each.
  // kInvalidArgument: blocks, and k is no multiple of 32.
  Status Reshape(Isa isa, size_t n, size_t k, bool blocks, bool floats);
  // x: (k). False if a value is not finite; the row is then unspecified. Thread-safe for different rows.
  bool SetRow(size_t row, const float* x);

  Isa isa() const { return isa_; }
  size_t n() const { return n_; }
  size_t k() const { return k_; }
  bool has_blocks() const { return has_blocks_; }
  bool has_floats() const { return has_floats_; }

  const float* x() const { return x_.data(); }  // (n, k)
  // Blocks in the groups of cpu/kernels.h; with one row, simply block after block.
  const int8_t* q() const { return q_.data(); }           // (k / 32, 32)
  const float* dx() const { return dx_.data(); }          // (k / 32)
  const float* dx_sum() const { return dx_sum_.data(); }  // dx * float(S); (k / 32)
  const int32_t* sums() const { return sums_.data(); }    // S0 in the low 16 bits, S1 in the high ones; (k / 32)

 private:
  Isa isa_ = Isa::kScalar;
  size_t n_ = 0;
  size_t k_ = 0;
  bool has_blocks_ = false;
  bool has_floats_ = false;
  std::vector<float> x_;
  std::vector<int8_t> q_;
  std::vector<float> dx_;
  std::vector<float> dx_sum_;
  std::vector<int32_t> sums_;
};

// y[j] = W x[j] for j in [0, n).
//   y: (n, w.rows()) row-major, overwritten. n may be smaller than x.n().
// REQUIRES: x.k() == w.k(), n <= x.n(), and x has what w's type reads: blocks made for w.isa(), or floats.
void MatMul(const PackedMatrix& w, const Activations& x, size_t n, float* y, ThreadPool& pool);

// Several matrices that read the same vectors, in one loop over their tiles.
struct Product {
  const PackedMatrix* w = nullptr;
  float* y = nullptr;  // (n, w->rows())
};
void MatMul(std::span<const Product> products, const Activations& x, size_t n, ThreadPool& pool);

}  // namespace teetee::ops
