// A small Llama model made by rule (no download): 3 blocks, width 8, 2 heads, tied head, a
// SentencePiece-style vocabulary of 259 bytes and specials. Tests change single keys or tensors
// before Build().
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "model/gguf_writer.h"

namespace teetee::model::testing {

struct TinyModel {
  struct Extra {
    std::string name;
    std::vector<uint64_t> dims;
  };
  std::map<std::string, std::string> text{{"general.architecture", "llama"},
                                          {"general.name", "tiny"}};
  std::map<std::string, uint32_t> u32{{"llama.block_count", 3},
                                      {"llama.embedding_length", 8},
                                      {"llama.feed_forward_length", 12},
                                      {"llama.attention.head_count", 2},
                                      {"llama.attention.head_count_kv", 1},
                                      {"llama.context_length", 64},
                                      {"llama.rope.dimension_count", 4},
                                      {"llama.vocab_size", 259},
                                      {"tokenizer.ggml.bos_token_id", 1},
                                      {"tokenizer.ggml.eos_token_id", 2}};
  std::map<std::string, float> f32{{"llama.attention.layer_norm_rms_epsilon", 1e-5f},
                                   {"llama.rope.freq_base", 10000}};
  std::vector<Extra> extra_tensors;
  std::string without;  // leaves this tensor out
  bool tokenizer = true;

  GgufWriter Writer() const;
  Bytes Build() const;  // the file
  // The bytes of a tensor, by rule: f32 values in [-1, 1) from a hash of name and index.
  static Status Fill(const TensorInfo& tensor, uint64_t begin, std::span<uint8_t> out);
};

}  // namespace teetee::model::testing
