#include "model/testing/tiny_model.h"

#include <cstring>

#include "base/check.h"

namespace teetee::model::testing {
namespace {

uint64_t Mix(uint64_t x) {  // splitmix64's finaliser
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

void AddVocabulary(GgufWriter& out) {
  std::vector<std::string> tokens{"<unk>", "<s>", "</s>"};
  std::vector<float> scores{0, 0, 0};
  std::vector<int32_t> types{2, 3, 3};
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (int byte = 0; byte < 256; ++byte) {
    tokens.push_back(std::string("<0x") + kHex[byte >> 4] + kHex[byte & 15] + ">");
    scores.push_back(0);
    types.push_back(6);
  }
  out.SetString("tokenizer.ggml.model", "llama").SetStringArray("tokenizer.ggml.tokens", tokens);
  out.SetF32Array("tokenizer.ggml.scores", scores).SetI32Array("tokenizer.ggml.token_type", types);
}

std::vector<TinyModel::Extra> Tensors() {
  std::vector<TinyModel::Extra> out{{"token_embd.weight", {8, 259}}, {"output_norm.weight", {8}}};
  for (int i = 0; i < 3; ++i) {
    const std::string blk = "blk." + std::to_string(i) + ".";
    for (TinyModel::Extra t : std::vector<TinyModel::Extra>{{"attn_norm", {8}},
                                                            {"attn_q", {8, 8}},
                                                            {"attn_k", {8, 4}},
                                                            {"attn_v", {8, 4}},
                                                            {"attn_output", {8, 8}},
                                                            {"ffn_norm", {8}},
                                                            {"ffn_gate", {8, 12}},
                                                            {"ffn_up", {8, 12}},
                                                            {"ffn_down", {12, 8}}}) {
      out.push_back({blk + t.name + ".weight", t.dims});
    }
  }
  return out;
}

}  // namespace

GgufWriter TinyModel::Writer() const {
  GgufWriter out;
  for (const auto& [key, v] : text) out.SetString(key, v);
  for (const auto& [key, v] : u32) out.SetU32(key, v);
  for (const auto& [key, v] : f32) out.SetF32(key, v);
  if (tokenizer) AddVocabulary(out);
  std::vector<Extra> tensors = Tensors();
  tensors.insert(tensors.end(), extra_tensors.begin(), extra_tensors.end());
  bool skipped = without.empty();
  for (const Extra& tensor : tensors) {
    if (!skipped && tensor.name == without) {
      skipped = true;  // once: a test may put it back with another shape
      continue;
    }
    TT_CHECK(out.AddTensor(tensor.name, ops::DType::kF32, tensor.dims).has_value());
  }
  return out;
}

Status TinyModel::Fill(const TensorInfo& tensor, uint64_t begin, std::span<uint8_t> out) {
  uint64_t seed = 0;
  for (char c : tensor.name) seed = Mix(seed * 31 + static_cast<unsigned char>(c));
  TT_CHECK(begin % 4 == 0 && out.size() % 4 == 0);
  for (size_t i = 0; i < out.size(); i += 4) {
    const uint64_t bits = Mix(seed + begin + i) >> 40;
    const float v = static_cast<float>(bits) * 0x1p-23f - 1;
    std::memcpy(out.data() + i, &v, 4);
  }
  return Ok{};
}

Bytes TinyModel::Build() const {
  ByteWriter out;
  auto sink = [&](ByteView piece) -> Status {
    out.Raw(piece);
    return Ok{};
  };
  TT_CHECK(Writer().Write(Fill, sink).has_value());
  return out.Take();
}

}  // namespace teetee::model::testing
