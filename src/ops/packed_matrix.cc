#include "ops/packed_matrix.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "base/check.h"
#include "ops/cpu/block.h"
#include "ops/cpu/kernels.h"
#include "ops/cpu/tile.h"
#include "ops/f16.h"

namespace teetee::ops {
namespace {

using cpu::Block;
using cpu::Kernels;
using cpu::Scales;

size_t TileRows(const Kernels& kernels, DType dtype) {
  return IsQuantised(dtype) ? kernels.tile_rows : kernels.float_tile_rows;
}

size_t TileBytes(const Kernels& kernels, DType dtype, size_t k) {
  if (kernels.gguf_rows) return k / BlockElements(dtype) * BlockBytes(dtype);
  return cpu::TileBytes(dtype, k);
}

// Element i of a row of a float tensor, whose elements lie `stride` elements apart.
float Widen(DType dtype, const uint8_t* base, size_t i, size_t stride) {
  if (dtype == DType::kF32) {
    float f;
    std::memcpy(&f, base + 4 * i * stride, 4);
    return f;
  }
  uint16_t h;
  std::memcpy(&h, base + 2 * i * stride, 2);
  return dtype == DType::kF16 ? F16ToF32(h) : Bf16ToF32(h);
}

// Copies n rows into columns [lane, lane + n) of a tile of `lanes` rows. False if a weight is not finite: all bits of its exponent
// are set.
template <class Word>
bool PackWords(Word exponent, const uint8_t* rows, size_t k, size_t lane, size_t n, size_t lanes, uint8_t* tile) {
  bool is_finite = true;
  for (size_t r = 0; r < n; ++r) {
    for (size_t i = 0; i < k; ++i) {
      Word word;  // read once: what is checked is what is kept, even where another process writes to a mapped file meanwhile
      std::memcpy(&word, rows + (r * k + i) * sizeof(Word), sizeof(Word));
      std::memcpy(tile + (i * lanes + lane + r) * sizeof(Word), &word, sizeof(Word));
      is_finite &= (word & exponent) != exponent;
    }
  }
  return is_finite;
}

bool PackFloatRows(DType dtype, const uint8_t* rows, size_t k, size_t lane, size_t n, size_t lanes, uint8_t* tile) {
  if (dtype == DType::kF32) return PackWords<uint32_t>(0x7f800000u, rows, k, lane, n, lanes, tile);
  return PackWords<uint16_t>(dtype == DType::kF16 ? 0x7c00 : 0x7f80, rows, k, lane, n, lanes, tile);
}

// The scalar layout: the row as it is.
bool CopyRow(DType dtype, const uint8_t* row, size_t k, uint8_t* out) {
  const size_t elements = BlockElements(dtype), bytes = BlockBytes(dtype);
  std::memcpy(out, row, k / elements * bytes);
  const Scales scales = cpu::ScalesOf(dtype);
  for (const uint8_t* p = out; p < out + k / elements * bytes; p += bytes) {
    for (size_t j = 0; j < elements / 32; ++j) {
      Block block;
      cpu::ReadBlockScales(dtype, p, static_cast<int>(j), &block);
      if (!cpu::BlockIsFinite(scales, block)) return false;
    }
  }
  return true;
}

}  // namespace

Result<PackedMatrix> PackedMatrix::Pack(Isa isa, DType dtype, size_t rows, size_t k,
                                        ByteView gguf_bytes) {
  const size_t expected = TT_TRY(TensorBytes(dtype, rows, k));
  if (gguf_bytes.size() != expected) {
    return Error(Code::kInvalidArgument, "pack: expected " + std::to_string(expected) +
                                             " bytes, found " + std::to_string(gguf_bytes.size()));
  }
  PackedMatrix out = TT_TRY(Empty(isa, dtype, rows, k));
  TT_RETURN_IF_ERROR(out.PackRows(0, gguf_bytes));
  return out;
}

Result<PackedMatrix> PackedMatrix::Empty(Isa isa, DType dtype, size_t rows, size_t k) {
  if (!IsaSupported(isa)) {
    return Error(Code::kFailedPrecondition, "pack: this machine lacks the instruction set");
  }
  TT_RETURN_IF_ERROR(RowBytes(dtype, k));
  if (rows == 0) return Error(Code::kInvalidArgument, "pack: no rows");
  const Kernels& kernels = cpu::KernelsFor(isa);
  const size_t lanes = TileRows(kernels, dtype);
  const size_t tile_bytes = TileBytes(kernels, dtype, k);
  const size_t n_tiles = (rows - 1) / lanes + 1;
  if (n_tiles > std::numeric_limits<size_t>::max() / 2 / tile_bytes) {
    return Error(Code::kInvalidArgument, "pack: packed size overflows");
  }
  PackedMatrix out;
  out.isa_ = isa;
  out.dtype_ = dtype;
  out.rows_ = rows;
  out.k_ = k;
  out.data_ = AlignedBuffer(n_tiles * tile_bytes);
  return out;
}

Status PackedMatrix::PackRows(size_t first, ByteView gguf_rows) {
  const Kernels& kernels = cpu::KernelsFor(isa_);
  const size_t lanes = TileRows(kernels, dtype_);
  const size_t tile_bytes = TileBytes(kernels, dtype_, k_);
  const size_t row_bytes = k_ / BlockElements(dtype_) * BlockBytes(dtype_);
  const size_t count = gguf_rows.size() / row_bytes;
  TT_CHECK(count * row_bytes == gguf_rows.size() && first <= rows_ && count <= rows_ - first);
  for (size_t r = first, n = 0; r < first + count; r += n) {
    n = std::min(lanes - r % lanes, first + count - r);  // rows in this tile
    const uint8_t* rows = gguf_rows.data() + (r - first) * row_bytes;
    uint8_t* tile = data_.data() + r / lanes * tile_bytes;
    const bool is_finite = !IsQuantised(dtype_)   ? PackFloatRows(dtype_, rows, k_, r % lanes, n, lanes, tile)
                           : kernels.gguf_rows ? CopyRow(dtype_, rows, k_, tile)
                                               : cpu::PackTileRows(dtype_, rows, k_, r % lanes, n, tile);
    if (!is_finite) {
      return Error(Code::kInvalidArgument, "pack: a scale or weight in rows " + std::to_string(r) + " to " + std::to_string(r + n - 1) + " is not finite");
    }
  }
  return Ok{};
}

void PackedMatrix::Row(size_t i, float* out) const {
  TT_CHECK(i < rows_);
  const Kernels& kernels = cpu::KernelsFor(isa_);
  const size_t lanes = TileRows(kernels, dtype_);
  const uint8_t* tile = data_.data() + i / lanes * TileBytes(kernels, dtype_, k_);
  if (!IsQuantised(dtype_)) {
    const uint8_t* base = tile + i % lanes * BlockBytes(dtype_);
    for (size_t c = 0; c < k_; ++c) out[c] = Widen(dtype_, base, c, lanes);
    return;
  }
  const Scales scales = cpu::ScalesOf(dtype_);
  for (size_t b = 0; b < k_ / 32; ++b) {
    Block block;
    if (kernels.gguf_rows) {
      cpu::ReadBlock(dtype_, tile, b, &block);
    } else {
      cpu::ReadTileBlock(dtype_, tile, i % lanes, b, &block);
    }
    cpu::DequantiseBlock(scales, block, out + 32 * b);
  }
}

}  // namespace teetee::ops
