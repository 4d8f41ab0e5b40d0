// The layout of quantised and float weights that the vector kernels read: tiles of rows, so that one vector runs across output
// rows. Every field is a plain copy of what the file holds; nothing is rounded, and ReadTileBlock gives the Block back.
//
// A quantised tile covers kTileRows rows and all columns:
//   for each super-block of 1 or 8 blocks (BlockElements / 32):
//     u16 d[16]               (not for kExponent)
//     u16 m[16]               (kHalfMin, kSubMin, kTwoMin)
//     for each block of 32 columns:
//       sub-scales: kSub, kExponent s0[16]; kSubMin s0[16] m0[16]; kTwo s0[16] s1[16]; kTwoMin s0[16] s1[16] m0[16] m1[16]; one byte each
//       codes: Codes::kNibble and kTable: byte [4][16 rows][4], low nibble column 4j+i, high nibble column 16+4j+i
//              Codes::kSigned and kByte:  byte [8][16 rows][4], column 4j+i
// A float tile covers kFloatTileRows rows: element [k][32 rows], in the width of the file.
// Rows beyond the matrix are zero.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/cpu/block.h"
#include "ops/dtype.h"

namespace teetee::ops::cpu {

enum class Codes {
  kNibble,  // w + offset in 4 bits
  kTable,   // index into a table of 16
  kSigned,  // w in 8 bits
  kByte,    // w + offset in 8 bits
};

struct TileFormat {
  Codes codes;
  Scales scales;
  int offset;              // kNibble, kByte
  const int8_t* table;     // kTable
  size_t blocks_per_super; // 1 or 8
};

enum : size_t { kTileRows = 16, kFloatTileRows = 32 };

TileFormat TileFormatOf(DType dtype);  // of a quantised type
size_t TileBytes(DType dtype, size_t k);   // of one tile, quantised or float
// Writes n rows of GGUF's bytes (k columns of a quantised type) as rows [row, row + n) of a tile. False if a scale is not finite.
bool PackTileRows(DType dtype, const uint8_t* gguf_rows, size_t k, size_t row, size_t n, uint8_t* tile);
// The codes of block j of GGUF's super-block at p as a tile keeps them, without the rows between: 16 bytes (kNibble, kTable) or 32.
void ReadBlockCodes(DType dtype, const uint8_t* p, int j, uint8_t* out);
void ReadTileBlock(DType dtype, const uint8_t* tile, size_t row, size_t b, Block* out);

}  // namespace teetee::ops::cpu
