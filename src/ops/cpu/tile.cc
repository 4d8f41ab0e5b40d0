#include "ops/cpu/tile.h"

#include <cstring>

#include "base/check.h"

namespace teetee::ops::cpu {
namespace {

bool HasMin(Scales s) {
  return s == Scales::kHalfMin || s == Scales::kSubMin || s == Scales::kTwoMin;
}

size_t HeaderBytes(Scales s) {
  size_t fields = (s == Scales::kExponent ? 0 : 1) + (HasMin(s) ? 1 : 0);
  return fields * 2 * kTileRows;
}

size_t SubScales(Scales s) {
  switch (s) {
    case Scales::kHalf:
    case Scales::kHalfMin:
      return 0;
    case Scales::kSub:
    case Scales::kExponent:
      return 1;
    case Scales::kSubMin:
    case Scales::kTwo:
      return 2;
    case Scales::kTwoMin:
      return 4;
  }
  return 0;
}

bool IsPacked(Codes c) { return c == Codes::kNibble || c == Codes::kTable; }
size_t CodeBytes(Codes c) { return kTileRows * (IsPacked(c) ? 16 : 32); }
size_t SuperBytes(const TileFormat& f) {
  return HeaderBytes(f.scales) +
         f.blocks_per_super * (SubScales(f.scales) * kTileRows + CodeBytes(f.codes));
}

// Addresses of one block of a tile, for reading and for writing.
struct Place {
  size_t header;
  size_t sub_scales;
  size_t codes;
};

Place PlaceOf(const TileFormat& f, size_t b) {
  size_t header = b / f.blocks_per_super * SuperBytes(f);
  size_t block_bytes = SubScales(f.scales) * kTileRows + CodeBytes(f.codes);
  size_t sub = header + HeaderBytes(f.scales) + b % f.blocks_per_super * block_bytes;
  return {header, sub, sub + SubScales(f.scales) * kTileRows};
}

int8_t DecodeWeight(const TileFormat& f, uint8_t code) {
  if (f.codes == Codes::kSigned) return static_cast<int8_t>(code);
  if (f.codes == Codes::kTable) return f.table[code];
  return static_cast<int8_t>(code - f.offset);
}

void PutU16(uint8_t* p, uint16_t v) { std::memcpy(p, &v, 2); }
uint16_t GetU16(const uint8_t* p) {
  uint16_t v;
  std::memcpy(&v, p, 2);
  return v;
}

void WriteScales(const TileFormat& f, const Place& place, size_t row, const Block& block, uint8_t* tile) {
  if (f.scales != Scales::kExponent) PutU16(tile + place.header + 2 * row, block.d);
  if (HasMin(f.scales)) PutU16(tile + place.header + 2 * (kTileRows + row), block.m);
  uint8_t* sub = tile + place.sub_scales + row;
  const bool two = f.scales == Scales::kTwo || f.scales == Scales::kTwoMin;
  const int16_t fields[4] = {block.s0, two ? block.s1 : block.m0, block.m0, block.m1};
  for (size_t i = 0; i < SubScales(f.scales); ++i) {
    sub[i * kTileRows] = static_cast<uint8_t>(fields[i]);
  }
}

}  // namespace

TileFormat TileFormatOf(DType dtype) {
  TileFormat f{Codes::kNibble, ScalesOf(dtype), 0, nullptr, BlockElements(dtype) / 32};
  switch (dtype) {
    case DType::kQ8_0:
      f.codes = Codes::kSigned;
      break;
    case DType::kQ4_0:
      f.offset = 8;
      break;
    case DType::kQ3_K:
      f.offset = 4;
      break;
    case DType::kQ5_0:
      f.codes = Codes::kByte;
      f.offset = 16;
      break;
    case DType::kQ5_1:
    case DType::kQ5_K:
      f.codes = Codes::kByte;
      break;
    case DType::kQ6_K:
      f.codes = Codes::kByte;
      f.offset = 32;
      break;
    case DType::kIQ4_NL:
    case DType::kIQ4_XS:
      f.codes = Codes::kTable;
      f.table = kIq4Values;
      break;
    case DType::kMXFP4:
      f.codes = Codes::kTable;
      f.table = kMxfp4Values;
      break;
    default:  // Q4_1, Q4_K, Q2_K: nibbles as they are; float types are refused by ScalesOf
      break;
  }
  return f;
}

size_t TileBytes(DType dtype, size_t k) {
  if (!IsQuantised(dtype)) return k * kFloatTileRows * BlockBytes(dtype);
  TileFormat f = TileFormatOf(dtype);
  return k / 32 / f.blocks_per_super * SuperBytes(f);
}

bool PackTileRows(DType dtype, const uint8_t* gguf_rows, size_t k, size_t row, size_t n, uint8_t* tile) {
  const TileFormat f = TileFormatOf(dtype);
  const size_t supers = k / 32 / f.blocks_per_super, source_bytes = BlockBytes(dtype), row_bytes = supers * source_bytes;
  const size_t sub_bytes = SubScales(f.scales) * kTileRows, code_bytes = CodeBytes(f.codes);
  for (size_t super = 0; super < supers; ++super, gguf_rows += source_bytes, tile += SuperBytes(f)) {
    for (size_t j = 0; j < f.blocks_per_super; ++j) {
      const size_t sub = HeaderBytes(f.scales) + j * (sub_bytes + code_bytes);
      for (size_t r = 0; r < n; ++r) {
        const uint8_t* source = gguf_rows + r * row_bytes;
        Block block;
        ReadBlockScales(dtype, source, static_cast<int>(j), &block);
        if (!BlockIsFinite(f.scales, block)) return false;
        WriteScales(f, {0, sub, sub + sub_bytes}, row + r, block, tile);
        uint8_t packed[32];
        ReadBlockCodes(dtype, source, static_cast<int>(j), packed);
        uint8_t* codes = tile + sub + sub_bytes + 4 * (row + r);
        for (size_t i = 0; i < code_bytes / kTileRows; i += 4) std::memcpy(codes + i * kTileRows, packed + i, 4);
      }
    }
  }
  return true;
}

void ReadTileBlock(DType dtype, const uint8_t* tile, size_t row, size_t b, Block* out) {
  TileFormat f = TileFormatOf(dtype);
  Place place = PlaceOf(f, b);
  if (f.scales != Scales::kExponent) out->d = GetU16(tile + place.header + 2 * row);
  if (HasMin(f.scales)) out->m = GetU16(tile + place.header + 2 * (kTileRows + row));
  const uint8_t* sub = tile + place.sub_scales + row;
  int16_t fields[4] = {};
  for (size_t i = 0; i < SubScales(f.scales); ++i) {
    uint8_t byte = sub[i * kTileRows];
    // Only the exponent of MXFP4 uses all 8 bits without a sign; every other sub-scale fits a signed byte.
    fields[i] = f.scales == Scales::kExponent ? int16_t{byte} : static_cast<int8_t>(byte);
  }
  const bool two = f.scales == Scales::kTwo || f.scales == Scales::kTwoMin;
  out->s0 = fields[0];
  out->s1 = two ? fields[1] : int16_t{0};
  out->m0 = two ? fields[2] : fields[1];
  out->m1 = fields[3];
  const uint8_t* codes = tile + place.codes + 4 * row;
  for (size_t i = 0; i < 32; ++i) {
    size_t column = IsPacked(f.codes) ? i % 16 : i;
    uint8_t byte = codes[column / 4 * 4 * kTileRows + column % 4];
    if (IsPacked(f.codes)) byte = i >= 16 ? byte >> 4 : byte & 15;
    out->w[i] = DecodeWeight(f, byte);
  }
}

}  // namespace teetee::ops::cpu
