// What a model is: its dimensions and variants, read from GGUF metadata and checked, so that no
// later code divides by zero or takes memory without a bound. config.cc is the one place that knows
// the keys of the file; what we do not support is refused there by name. One seam for a model
// family: Architecture, and the switch over it in config.cc.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf.h"

namespace teetee::model {

using TokenId = uint32_t;

enum class Architecture { kLlama };
std::string_view ArchitectureName(Architecture architecture);  // as in general.architecture

// Which elements of a head RoPE rotates together.
enum class RopePairs { kAdjacent, kHalf };  // (x_2i, x_2i+1), or (x_i, x_i+d/2)
enum class RopeScaling { kNone, kLinear, kYarn };

// docs/formats/numerics.md section 6.
struct RopeConfig {
  uint32_t dim = 0;  // rotated elements of a head: even, 2..head_dim
  float base = 10000;
  RopePairs pairs = RopePairs::kAdjacent;
  RopeScaling scaling = RopeScaling::kNone;
  float factor = 1;               // linear, yarn: > 0
  uint32_t original_context = 0;  // yarn: > 0
  float attn_factor = 1;          // yarn
  float beta_fast = 32;           // yarn
  float beta_slow = 1;            // yarn
  bool has_freq_factors = false;  // tensor rope_freqs.weight, (dim / 2) f32: Llama 3's scaling
};

struct ConfigLimits {
  static constexpr uint32_t kMaxLayers = 512;
  static constexpr uint32_t kMaxHidden = 1u << 16;
  static constexpr uint32_t kMaxFfn = 1u << 18;
  static constexpr uint32_t kMaxHeads = 1u << 10;
  static constexpr uint32_t kMaxHeadDim = 1u << 10;
  static constexpr uint32_t kMaxVocab = 1u << 20;
  static constexpr uint32_t kMaxContext = 1u << 20;  // numerics.md: positions below 2^20
};

struct ModelConfig {
  Architecture architecture = Architecture::kLlama;
  std::string name;       // general.name, printable ASCII of at most 128 bytes, may be empty
  uint32_t n_layers = 0;  // all of these are at least 1
  uint32_t hidden_dim = 0;
  uint32_t n_heads = 0;
  uint32_t n_kv_heads = 0;  // divides n_heads
  uint32_t head_dim = 0;    // of queries, keys and values alike
  uint32_t ffn_dim = 0;
  uint32_t vocab_size = 0;
  uint32_t context_length = 0;
  float norm_eps = 0;      // > 0
  bool tied_head = false;  // the output head is token_embd.weight
  RopeConfig rope;
  std::optional<TokenId> bos, eos, eot;  // below vocab_size

  uint32_t q_dim() const { return n_heads * head_dim; }
  uint32_t kv_dim() const { return n_kv_heads * head_dim; }

  // From a whole model or from a shard of one. kUnimplemented: an architecture or variant that we
  // do not compute. kInvalidArgument/kNotFound: a value out of range or missing, with its key.
  static Result<ModelConfig> From(const GgufFile& file);
};

// The configuration as the manifest holds it, by the keys of docs/formats/manifest.md: decimal
// integers, f32 as "0x" and the 8 hex digits of its bits, words. Equal maps mean equal arithmetic;
// a shard's is that of the whole model.
std::map<std::string, std::string> CanonicalConfig(const ModelConfig& config);

// The blocks of a shard, and its ends.
struct BlockRange {
  uint32_t first = 0;  // original index in the whole model
  uint32_t count = 0;
  bool with_embedding = false;
  bool with_head = false;
};

struct ExpectedTensor {
  std::string name;
  std::vector<uint64_t> dims;  // GGUF order
  bool must_be_f32 = false;    // norms and frequency factors
};

// Every tensor that the range needs, each once, and nothing else. Names as in llama.cpp's GGUF
// files. REQUIRES range.first + range.count <= config.n_layers.
std::vector<ExpectedTensor> ExpectedTensors(const ModelConfig& config, const BlockRange& range);
// The file holds exactly those tensors, with those shapes. An unknown tensor is refused by name:
// ignoring a weight (a bias, say) would compute another model.
Status CheckTensors(const GgufFile& file, const ModelConfig& config, const BlockRange& range);
// The range that a file serves: its teetee.* keys (docs/formats/gguf-shards.md), or the whole model
// without them.
Result<BlockRange> RangeOf(const GgufFile& file, const ModelConfig& config);

}  // namespace teetee::model
