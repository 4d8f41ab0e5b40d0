#include "ops/testing/vectors.h"

#include <cstdlib>

#include "base/check.h"
#include "base/file.h"
#include "base/json.h"

namespace teetee::ops::testing {
namespace {

constexpr size_t kMaxVectorFile = 4u << 20;

// Byte offsets of the f16 fields in a block, -1 where there is none; and whether byte 0 is an exponent.
struct Fields {
  int d;
  int m;
  bool has_exponent;
};

Fields FieldsOf(DType dtype) {
  switch (dtype) {
    case DType::kQ4_1:
    case DType::kQ5_1:
    case DType::kQ4_K:
    case DType::kQ5_K:
      return {0, 2, false};
    case DType::kQ2_K:
      return {80, 82, false};
    case DType::kQ3_K:
      return {108, -1, false};
    case DType::kQ6_K:
      return {208, -1, false};
    case DType::kMXFP4:
      return {-1, -1, true};
    default:
      return {0, -1, false};
  }
}

bool IsScaleByte(const Fields& f, int i) {
  if (f.has_exponent && i == 0) return true;
  for (int offset : {f.d, f.m}) {
    if (offset >= 0 && (i == offset || i == offset + 1)) return true;
  }
  return false;
}

}  // namespace

uint64_t Z(uint64_t seed, uint64_t k) {
  uint64_t z = seed + (k + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

float Fl(uint64_t seed, uint64_t k) {
  return static_cast<float>(static_cast<int>(Z(seed, k) >> 40) - 8388608) * 0x1p-23f;
}

float Wide(uint64_t seed, uint64_t k) {
  int exponent = static_cast<int>(Z(seed, k) >> 8 & 15) - 8;
  uint32_t bits = static_cast<uint32_t>(127 + exponent) << 23;
  float power;
  std::memcpy(&power, &bits, 4);
  return Fl(seed, k) * power;
}

uint16_t Hf(uint64_t seed, uint64_t k) {
  uint64_t z = Z(seed, k);
  return static_cast<uint16_t>((z & 0x83ff) | (8 + (z >> 16 & 7)) << 10);
}

std::vector<float> FlVector(uint64_t seed, size_t n, float factor) {
  std::vector<float> out(n);
  for (size_t k = 0; k < n; ++k) out[k] = Fl(seed, k) * factor;
  return out;
}

std::vector<float> WideVector(uint64_t seed, size_t n) {
  std::vector<float> out(n);
  for (size_t k = 0; k < n; ++k) out[k] = Wide(seed, k);
  return out;
}

std::vector<uint16_t> HfVector(uint64_t seed, size_t n) {
  std::vector<uint16_t> out(n);
  for (size_t k = 0; k < n; ++k) out[k] = Hf(seed, k);
  return out;
}

Bytes QuantisedRow(DType dtype, uint64_t seed, size_t k) {
  const Fields fields = FieldsOf(dtype);
  const size_t block_bytes = BlockBytes(dtype);
  Bytes row(k / BlockElements(dtype) * block_bytes);
  for (size_t i = 0; i < row.size(); ++i) row[i] = static_cast<uint8_t>(Z(seed, i) >> 56);
  for (size_t b = 0; b * block_bytes < row.size(); ++b) {
    uint8_t* p = row.data() + b * block_bytes;
    size_t field = 0;
    for (int offset : {fields.d, fields.m}) {
      uint16_t h = Hf(seed + 1000000, 2 * b + field++);
      if (offset < 0) continue;
      p[offset] = static_cast<uint8_t>(h & 255);
      p[offset + 1] = static_cast<uint8_t>(h >> 8);
    }
    if (fields.has_exponent) p[0] = static_cast<uint8_t>(118 + (p[0] & 15));
  }
  return row;
}

void FillCodes(DType dtype, uint8_t value, Bytes* row) {
  const Fields fields = FieldsOf(dtype);
  for (size_t i = 0; i < row->size(); ++i) {
    if (!IsScaleByte(fields, static_cast<int>(i % BlockBytes(dtype)))) (*row)[i] = value;
  }
}

void MakeScalesSubnormal(DType dtype, Bytes* row) {
  const Fields fields = FieldsOf(dtype);
  const size_t block_bytes = BlockBytes(dtype);
  for (size_t b = 0; b * block_bytes < row->size(); ++b) {
    uint8_t* p = row->data() + b * block_bytes;
    if (fields.has_exponent) p[0] = static_cast<uint8_t>(b % 3);
    for (int offset : {fields.d, fields.m}) {
      if (offset >= 0) p[offset + 1] &= 0x83;
    }
  }
}

void TameScales(DType dtype, Bytes* row) {
  const Fields fields = FieldsOf(dtype);
  const size_t block_bytes = BlockBytes(dtype);
  const bool has_inner_scales = BlockElements(dtype) == 256;
  const int log2_d = dtype == DType::kQ8_0 || dtype == DType::kIQ4_NL ? -10 : has_inner_scales ? -13 : -7;
  const int log2_m = has_inner_scales ? -9 : -4;
  for (size_t b = 0; b * block_bytes < row->size(); ++b) {
    uint8_t* p = row->data() + b * block_bytes;
    if (fields.has_exponent) p[0] = static_cast<uint8_t>(121 + (p[0] & 1));
    for (auto [offset, log2] : {std::pair{fields.d, log2_d}, {fields.m, log2_m}}) {
      if (offset >= 0) p[offset + 1] = static_cast<uint8_t>((p[offset + 1] & 0x83) | (log2 + 15) << 2);
    }
  }
}

Bytes FloatRow(DType dtype, uint64_t seed, size_t k) {
  Bytes row;
  for (size_t i = 0; i < k; ++i) {
    float f = Wide(seed, i);
    uint32_t bits;
    std::memcpy(&bits, &f, 4);
    uint32_t value = dtype == DType::kF32   ? bits
                     : dtype == DType::kF16 ? Hf(seed, i)
                                            : bits >> 16;
    for (size_t byte = 0; byte < BlockBytes(dtype); ++byte) {
      row.push_back(static_cast<uint8_t>(value >> (8 * byte)));
    }
  }
  return row;
}

Result<std::vector<VectorRecord>> LoadVectors(const std::string& name) {
  Bytes text = TT_TRY(ReadFile("tests/vectors/numerics/" + name, kMaxVectorFile));
  Json json = TT_TRY(Json::Parse(AsText(text), {.max_bytes = kMaxVectorFile}));
  if (!json.is_array()) return Error(Code::kInvalidArgument, "vectors: not an array");
  std::vector<VectorRecord> out;
  for (const Json& item : json.as_array()) {
    VectorRecord record;
    record.op = TT_TRY(item.GetString("op"));
    record.in = TT_TRY(item.GetString("in"));
    record.bytes = TT_TRY(item.GetUint64("bytes"));
    record.sha256 = TT_TRY(item.GetString("sha256"));
    record.head = TT_TRY(item.GetString("head"));
    out.push_back(std::move(record));
  }
  return out;
}

std::string Difference(const VectorRecord& record, ByteView output, const std::string& sha256_hex) {
  if (output.size() == record.bytes && sha256_hex == record.sha256) return "";
  return record.op + " '" + record.in + "': " + std::to_string(output.size()) + " bytes, head " +
         ToHex(output.first(output.size() < 32 ? output.size() : 32)) + "; expected " +
         std::to_string(record.bytes) + " bytes, head " + record.head;
}

Result<double> Parameter(const std::string& in, const std::string& key) {
  const std::string padded = " " + in;
  size_t at = padded.find(" " + key + "=");
  if (at == std::string::npos) return Error(Code::kNotFound, "no parameter " + key);
  return std::strtod(padded.c_str() + at + key.size() + 2, nullptr);
}

}  // namespace teetee::ops::testing
