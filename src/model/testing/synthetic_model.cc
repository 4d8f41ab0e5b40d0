#include "model/testing/synthetic_model.h"

#include <cstring>
#include <string>

#include "base/check.h"
#include "model/gguf_writer.h"
#include "ops/f16.h"
#include "ops/testing/vectors.h"

namespace teetee::model::testing {
namespace {

struct Shape {
  uint32_t dim, ffn, heads, kv_heads;
};

Shape ShapeFor(ops::DType dtype) {
  if (ops::IsQuantised(dtype)) return {256, 768, 4, 2};
  return {64, 172, 8, 4};
}

void AddTensors(ops::DType dtype, const Shape& s, GgufWriter& out) {
  const auto add = [&](const std::string& name, std::vector<uint64_t> dims) {
    const ops::DType of = dims.size() == 1 ? ops::DType::kF32 : dtype;
    TT_CHECK(out.AddTensor(name + ".weight", of, dims).has_value());
  };
  const uint64_t kv = s.dim / s.heads * s.kv_heads;
  add("token_embd", {s.dim, kSyntheticVocab});
  add("output_norm", {s.dim});
  add("output", {s.dim, kSyntheticVocab});
  for (size_t i = 0; i < kSyntheticBlocks; ++i) {
    const std::string blk = "blk." + std::to_string(i) + ".";
    add(blk + "attn_norm", {s.dim});
    add(blk + "attn_q", {s.dim, s.dim});
    add(blk + "attn_k", {s.dim, kv});
    add(blk + "attn_v", {s.dim, kv});
    add(blk + "attn_output", {s.dim, s.dim});
    add(blk + "ffn_norm", {s.dim});
    add(blk + "ffn_gate", {s.dim, s.ffn});
    add(blk + "ffn_up", {s.dim, s.ffn});
    add(blk + "ffn_down", {s.ffn, s.dim});
  }
}

uint64_t SeedOf(const std::string& name, uint64_t seed) {
  for (char c : name) seed = ops::testing::Z(seed, static_cast<unsigned char>(c));
  return seed >> 20;  // room for row numbers
}

Bytes RowOf(const TensorInfo& tensor, uint64_t seed) {
  if (ops::IsQuantised(tensor.dtype)) {
    Bytes row = ops::testing::QuantisedRow(tensor.dtype, seed, tensor.columns());
    ops::testing::TameScales(tensor.dtype, &row);
    return row;
  }
  // Widths are odd here, so a value is made from its own number: in +-0.25, or 0.75 to 1.25 for a norm.
  Bytes row;
  for (size_t i = 0; i < tensor.columns(); ++i) {
    const float v = ops::testing::Fl(seed, i) * 0.25f + (tensor.dims.size() == 1 ? 1.0f : 0.0f);
    uint32_t bits;
    std::memcpy(&bits, &v, 4);
    const uint16_t half = tensor.dtype == ops::DType::kF16 ? ops::F32ToF16(v) : static_cast<uint16_t>(bits >> 16);
    const auto* p = reinterpret_cast<const uint8_t*>(&bits);
    if (tensor.dtype != ops::DType::kF32) p = reinterpret_cast<const uint8_t*>(&half);
    row.insert(row.end(), p, p + ops::BlockBytes(tensor.dtype));
  }
  return row;
}

}  // namespace

Bytes BuildSyntheticModel(ops::DType dtype, uint64_t seed) {
  const Shape s = ShapeFor(dtype);
  GgufWriter out;
  out.SetString("general.architecture", "llama").SetString("general.name", "synthetic");
  out.SetU32("llama.block_count", kSyntheticBlocks).SetU32("llama.embedding_length", s.dim);
  out.SetU32("llama.feed_forward_length", s.ffn).SetU32("llama.attention.head_count", s.heads);
  out.SetU32("llama.attention.head_count_kv", s.kv_heads).SetU32("llama.context_length", kSyntheticContext);
  out.SetU32("llama.rope.dimension_count", s.dim / s.heads).SetU32("llama.vocab_size", kSyntheticVocab);
  out.SetF32("llama.attention.layer_norm_rms_epsilon", 1e-5f).SetF32("llama.rope.freq_base", 10000);
  AddTensors(dtype, s, out);

  const auto fill = [&](const TensorInfo& tensor, uint64_t begin, std::span<uint8_t> to) -> Status {
    const uint64_t row_bytes = tensor.bytes / tensor.rows();
    Bytes row;
    for (uint64_t at = 0; at < to.size(); ++at) {
      if (at == 0 || (begin + at) % row_bytes == 0) {
        row = RowOf(tensor, SeedOf(tensor.name, seed) + (begin + at) / row_bytes);
      }
      to[at] = row[(begin + at) % row_bytes];
    }
    return Ok{};
  };
  ByteWriter file;
  const auto sink = [&](ByteView piece) -> Status {
    file.Raw(piece);
    return Ok{};
  };
  TT_CHECK(out.Write(fill, sink).has_value());
  return file.Take();
}

}  // namespace teetee::model::testing
