#include "model/config.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "base/check.h"
#include "model/shard_keys.h"

namespace teetee::model {
namespace {

constexpr std::string_view kEmbedding = "token_embd.weight";
constexpr std::string_view kHead = "output.weight";
constexpr std::string_view kRopeFreqs = "rope_freqs.weight";

Error OutOfRange(const std::string& key, const std::string& found, const std::string& wanted) {
  return Error(Code::kInvalidArgument,
               "metadata key '" + key + "': " + found + ", wanted " + wanted);
}

Error NotSupported(const std::string& what) {
  return Error(Code::kUnimplemented, what + " is not supported");
}

// Reads the keys of one architecture: "llama." + key.
class Reader {
 public:
  Reader(const GgufMetadata& metadata, std::string_view architecture)
      : metadata_(metadata), prefix_(std::string(architecture) + ".") {}

  bool Has(std::string_view key) const { return metadata_.Has(Name(key)); }

  Result<uint32_t> Count(std::string_view key, uint32_t most) const {
    return Checked(key, TT_TRY(metadata_.GetU32(Name(key))), most);
  }
  Result<uint32_t> CountOr(std::string_view key, uint32_t otherwise, uint32_t most) const {
    return Checked(key, TT_TRY(metadata_.GetU32Or(Name(key), otherwise)), most);
  }
  // A float in (low, high].
  Result<float> Float(std::string_view key, float low, float high) const {
    return Between(key, TT_TRY(metadata_.GetF32(Name(key))), low, high);
  }
  Result<float> FloatOr(std::string_view key, float otherwise, float low, float high) const {
    return Between(key, TT_TRY(metadata_.GetF32Or(Name(key), otherwise)), low, high);
  }
  Result<std::string> TextOr(std::string_view key, std::string_view otherwise) const {
    return metadata_.GetStringOr(Name(key), otherwise);
  }

  std::string Name(std::string_view key) const { return prefix_ + std::string(key); }

 private:
  Result<uint32_t> Checked(std::string_view key, uint32_t v, uint32_t most) const {
    if (v >= 1 && v <= most) return v;
    return OutOfRange(Name(key), std::to_string(v), "1 to " + std::to_string(most));
  }
  Result<float> Between(std::string_view key, float v, float low, float high) const {
    if (v > low && v <= high) return v;
    return OutOfRange(Name(key), "a value",
                      "above " + std::to_string(low) + ", at most " + std::to_string(high));
  }

  const GgufMetadata& metadata_;
  std::string prefix_;
};

// Variants of the family that change the arithmetic. A file that has one of these keys with another
// value than the neutral one is refused: computing without it would silently be another model.
Status RefuseVariants(const GgufMetadata& metadata, const Reader& reader) {
  for (const char* key : {"expert_count", "expert_used_count", "attention.sliding_window"}) {
    if (TT_TRY(metadata.GetU32Or(reader.Name(key), 0)) != 0) return NotSupported(reader.Name(key));
  }
  for (const char* key :
       {"attention.scale", "attention.max_alibi_bias", "attention.clamp_kqv", "embedding_scale",
        "residual_scale", "logit_scale", "attn_logit_softcapping", "final_logit_softcapping",
        "rope.scaling.yarn_log_multiplier"}) {
    if (reader.Has(key)) return NotSupported(reader.Name(key));
  }
  if (!TT_TRY(metadata.GetBoolOr(reader.Name("attention.causal"), true))) {
    return NotSupported(reader.Name("attention.causal") + " = false");
  }
  if (TT_TRY(metadata.GetBoolOr(reader.Name("use_parallel_residual"), false))) {
    return NotSupported(reader.Name("use_parallel_residual"));
  }
  return Ok{};
}

Status ReadHeads(const Reader& reader, ModelConfig& config) {
  config.n_heads = TT_TRY(reader.Count("attention.head_count", ConfigLimits::kMaxHeads));
  config.n_kv_heads =
      TT_TRY(reader.CountOr("attention.head_count_kv", config.n_heads, ConfigLimits::kMaxHeads));
  if (config.n_heads % config.n_kv_heads != 0) {
    return OutOfRange(reader.Name("attention.head_count_kv"), std::to_string(config.n_kv_heads),
                      "a divisor of " + std::to_string(config.n_heads));
  }
  if (!reader.Has("attention.key_length") && config.hidden_dim % config.n_heads != 0) {
    return OutOfRange(reader.Name("attention.head_count"), std::to_string(config.n_heads),
                      "a divisor of " + std::to_string(config.hidden_dim));
  }
  config.head_dim = TT_TRY(reader.CountOr(
      "attention.key_length", config.hidden_dim / config.n_heads, ConfigLimits::kMaxHeadDim));
  const uint32_t value_dim =
      TT_TRY(reader.CountOr("attention.value_length", config.head_dim, ConfigLimits::kMaxHeadDim));
  if (value_dim != config.head_dim)
    return NotSupported(reader.Name("attention.value_length") + " of another size");
  if (uint64_t{config.n_heads} * config.head_dim > ConfigLimits::kMaxHidden) {
    return OutOfRange(reader.Name("attention.key_length"), std::to_string(config.head_dim),
                      "heads times size up to " + std::to_string(ConfigLimits::kMaxHidden));
  }
  return Ok{};
}

Result<RopeScaling> ReadScaling(const Reader& reader) {
  auto type = reader.TextOr("rope.scaling.type", "none");
  if (!type) return std::move(type).error();
  if (*type == "none") return RopeScaling::kNone;
  if (*type == "linear") return RopeScaling::kLinear;
  if (*type == "yarn") return RopeScaling::kYarn;
  return NotSupported("the value of " + reader.Name("rope.scaling.type"));
}

Status ReadYarn(const Reader& reader, RopeConfig& rope) {
  rope.original_context =
      TT_TRY(reader.Count("rope.scaling.original_context_length", ConfigLimits::kMaxContext));
  rope.attn_factor = TT_TRY(reader.FloatOr("rope.scaling.attn_factor", 1, 0, 1e3f));
  rope.beta_fast = TT_TRY(reader.FloatOr("rope.scaling.yarn_beta_fast", 32, 0, 1e6f));
  rope.beta_slow = TT_TRY(reader.FloatOr("rope.scaling.yarn_beta_slow", 1, 0, 1e6f));
  if (TT_TRY(reader.FloatOr("rope.scaling.yarn_ext_factor", 1, -2, 1e6f)) != 1) {
    return NotSupported(reader.Name("rope.scaling.yarn_ext_factor"));
  }
  return Ok{};
}

Status ReadRope(const GgufFile& file, const Reader& reader, ModelConfig& config) {
  RopeConfig& rope = config.rope;
  rope.dim = TT_TRY(reader.CountOr("rope.dimension_count", config.head_dim, config.head_dim));
  if (rope.dim % 2 != 0) {
    return OutOfRange(reader.Name("rope.dimension_count"), std::to_string(rope.dim),
                      "an even number");
  }
  rope.base = TT_TRY(reader.FloatOr("rope.freq_base", 10000, 1, 1e12f));
  rope.has_freq_factors = file.FindTensor(kRopeFreqs).has_value();
  if (reader.Has("rope.scale_linear")) return NotSupported(reader.Name("rope.scale_linear"));
  rope.scaling = TT_TRY(ReadScaling(reader));
  if (rope.scaling == RopeScaling::kNone) return Ok{};
  rope.factor = TT_TRY(reader.Float("rope.scaling.factor", 0, 1e6f));
  return rope.scaling == RopeScaling::kYarn ? ReadYarn(reader, rope) : Status(Ok{});
}

// The vocabulary's size: its own key, else the number of tokens, else the rows of the embedding.
Status ReadVocab(const GgufFile& file, const Reader& reader, ModelConfig& config) {
  uint64_t size = 0;
  const auto* tokens = file.metadata().Find("tokenizer.ggml.tokens");
  if (reader.Has("vocab_size")) {
    size = TT_TRY(reader.Count("vocab_size", ConfigLimits::kMaxVocab));
  } else if (tokens) {
    size = tokens->count;
  } else if (auto embedding = file.FindTensor(kEmbedding)) {
    size = (*embedding)->rows();
  }
  if (size == 0 || size > ConfigLimits::kMaxVocab) {
    return OutOfRange(reader.Name("vocab_size"), std::to_string(size),
                      "1 to " + std::to_string(ConfigLimits::kMaxVocab));
  }
  config.vocab_size = static_cast<uint32_t>(size);
  return Ok{};
}

Result<std::optional<TokenId>> ReadTokenId(const GgufMetadata& metadata, const std::string& key,
                                           uint32_t vocab_size) {
  if (!metadata.Has(key)) return std::optional<TokenId>();
  uint32_t id = TT_TRY(metadata.GetU32(key));
  if (id >= vocab_size)
    return OutOfRange(key, std::to_string(id), "below " + std::to_string(vocab_size));
  return std::optional<TokenId>(id);
}

Status ReadTokenIds(const GgufMetadata& metadata, ModelConfig& config) {
  config.bos = TT_TRY(ReadTokenId(metadata, "tokenizer.ggml.bos_token_id", config.vocab_size));
  config.eos = TT_TRY(ReadTokenId(metadata, "tokenizer.ggml.eos_token_id", config.vocab_size));
  config.eot = TT_TRY(ReadTokenId(metadata, "tokenizer.ggml.eot_token_id", config.vocab_size));
  return Ok{};
}

std::string PrintableName(const GgufMetadata& metadata) {
  auto name = metadata.GetString("general.name");
  if (!name) return "";
  std::string out = name->substr(0, 128);
  std::erase_if(out, [](char c) { return c < ' ' || c > '~'; });
  return out;
}

// Hugging Face name          GGUF key (behind the architecture's name and a dot)
//   num_hidden_layers          block_count
//   hidden_size                embedding_length
//   intermediate_size          feed_forward_length
//   num_attention_heads        attention.head_count
//   num_key_value_heads        attention.head_count_kv
//   head_dim                   attention.key_length
//   rms_norm_eps               attention.layer_norm_rms_epsilon
//   rope_theta                 rope.freq_base
//   max_position_embeddings    context_length
//   tie_word_embeddings        (no tensor output.weight)
Result<ModelConfig> ReadLlama(const GgufFile& file) {
  const GgufMetadata& metadata = file.metadata();
  const Reader reader(metadata, "llama");
  TT_RETURN_IF_ERROR(RefuseVariants(metadata, reader));
  ModelConfig config;
  config.architecture = Architecture::kLlama;
  config.name = PrintableName(metadata);
  config.n_layers = TT_TRY(reader.Count("block_count", ConfigLimits::kMaxLayers));
  config.hidden_dim = TT_TRY(reader.Count("embedding_length", ConfigLimits::kMaxHidden));
  config.ffn_dim = TT_TRY(reader.Count("feed_forward_length", ConfigLimits::kMaxFfn));
  config.context_length = TT_TRY(reader.Count("context_length", ConfigLimits::kMaxContext));
  config.norm_eps = TT_TRY(reader.Float("attention.layer_norm_rms_epsilon", 0, 1));
  TT_RETURN_IF_ERROR(ReadHeads(reader, config));
  TT_RETURN_IF_ERROR(ReadRope(file, reader, config));
  TT_RETURN_IF_ERROR(ReadVocab(file, reader, config));
  TT_RETURN_IF_ERROR(ReadTokenIds(metadata, config));
  // A shard in the middle has no head to look at.
  config.tied_head =
      TT_TRY(metadata.GetBoolOr(kShardTiedHead, !file.FindTensor(kHead).has_value()));
  return config;
}

void AddBlock(const ModelConfig& c, uint32_t index, std::vector<ExpectedTensor>& out) {
  const std::string blk = "blk." + std::to_string(index) + ".";
  out.push_back({blk + "attn_norm.weight", {c.hidden_dim}, true});
  out.push_back({blk + "attn_q.weight", {c.hidden_dim, c.q_dim()}});
  out.push_back({blk + "attn_k.weight", {c.hidden_dim, c.kv_dim()}});
  out.push_back({blk + "attn_v.weight", {c.hidden_dim, c.kv_dim()}});
  out.push_back({blk + "attn_output.weight", {c.q_dim(), c.hidden_dim}});
  out.push_back({blk + "ffn_norm.weight", {c.hidden_dim}, true});
  out.push_back({blk + "ffn_gate.weight", {c.hidden_dim, c.ffn_dim}});
  out.push_back({blk + "ffn_up.weight", {c.hidden_dim, c.ffn_dim}});
  out.push_back({blk + "ffn_down.weight", {c.ffn_dim, c.hidden_dim}});
}

Status CheckTensor(const TensorInfo& found, const ExpectedTensor& wanted) {
  if (found.dims != wanted.dims) {
    return Error(Code::kInvalidArgument, "tensor " + found.name + ": expected " +
                                             ShapeText(wanted.dims) + ", found " +
                                             ShapeText(found.dims));
  }
  if (wanted.must_be_f32 && found.dtype != ops::DType::kF32) {
    return Error(Code::kInvalidArgument, "tensor " + found.name + ": expected F32, found " +
                                             std::string(ops::DTypeName(found.dtype)));
  }
  return Ok{};
}

}  // namespace

std::string_view ArchitectureName(Architecture architecture) {
  switch (architecture) {
    case Architecture::kLlama:
      return "llama";
  }
  TT_CHECK(false);
}

Result<ModelConfig> ModelConfig::From(const GgufFile& file) {
  const std::string architecture = TT_TRY(file.metadata().GetString("general.architecture"));
  if (architecture == "llama") return ReadLlama(file);
  return Error(Code::kUnimplemented, "this model architecture is not supported (supported: llama)");
}

std::map<std::string, std::string> CanonicalConfig(const ModelConfig& c) {
  auto number = [](uint32_t v) { return std::to_string(v); };
  auto bits = [](float v) {
    ByteWriter out;
    out.U32Be(std::bit_cast<uint32_t>(v));
    return ToHex0x(out.bytes());
  };
  auto id = [](const std::optional<TokenId>& v) {
    return v ? std::to_string(*v) : std::string("none");
  };
  const RopeConfig& r = c.rope;
  static constexpr const char* kScaling[] = {"none", "linear", "yarn"};
  return {{"architecture", std::string(ArchitectureName(c.architecture))},
          {"bos", id(c.bos)},
          {"context_length", number(c.context_length)},
          {"eos", id(c.eos)},
          {"eot", id(c.eot)},
          {"ffn_dim", number(c.ffn_dim)},
          {"head_dim", number(c.head_dim)},
          {"hidden_dim", number(c.hidden_dim)},
          {"n_heads", number(c.n_heads)},
          {"n_kv_heads", number(c.n_kv_heads)},
          {"n_layers", number(c.n_layers)},
          {"norm_eps", bits(c.norm_eps)},
          {"rope_attn_factor", bits(r.attn_factor)},
          {"rope_base", bits(r.base)},
          {"rope_beta_fast", bits(r.beta_fast)},
          {"rope_beta_slow", bits(r.beta_slow)},
          {"rope_dim", number(r.dim)},
          {"rope_factor", bits(r.factor)},
          {"rope_freq_factors", r.has_freq_factors ? "yes" : "no"},
          {"rope_original_context", number(r.original_context)},
          {"rope_pairs", r.pairs == RopePairs::kAdjacent ? "adjacent" : "half"},
          {"rope_scaling", kScaling[static_cast<int>(r.scaling)]},
          {"tied_head", c.tied_head ? "yes" : "no"},
          {"vocab_size", number(c.vocab_size)}};
}

std::vector<ExpectedTensor> ExpectedTensors(const ModelConfig& config, const BlockRange& range) {
  TT_CHECK(range.first <= config.n_layers && range.count <= config.n_layers - range.first);
  const std::vector<uint64_t> embedding{config.hidden_dim, config.vocab_size};
  std::vector<ExpectedTensor> out;
  if (range.with_embedding || (range.with_head && config.tied_head)) {
    out.push_back({std::string(kEmbedding), embedding});
  }
  if (config.rope.has_freq_factors && range.count > 0) {
    out.push_back({std::string(kRopeFreqs), {config.rope.dim / 2}, true});
  }
  for (uint32_t i = 0; i < range.count; ++i) AddBlock(config, range.first + i, out);
  if (range.with_head) {
    out.push_back({"output_norm.weight", {config.hidden_dim}, true});
    if (!config.tied_head) out.push_back({std::string(kHead), embedding});
  }
  return out;
}

Status CheckTensors(const GgufFile& file, const ModelConfig& config, const BlockRange& range) {
  std::map<std::string, ExpectedTensor, std::less<>> wanted;
  for (ExpectedTensor& tensor : ExpectedTensors(config, range))
    wanted.emplace(tensor.name, std::move(tensor));
  for (const TensorInfo& tensor : file.tensors()) {
    auto it = wanted.find(tensor.name);
    if (it == wanted.end()) {
      return Error(Code::kUnimplemented,
                   "tensor " + tensor.name + ": not a weight of this architecture or shard");
    }
    TT_RETURN_IF_ERROR(CheckTensor(tensor, it->second));
    wanted.erase(it);
  }
  if (!wanted.empty())
    return Error(Code::kNotFound, "tensor " + wanted.begin()->first + ": missing");
  return Ok{};
}

Result<BlockRange> RangeOf(const GgufFile& file, const ModelConfig& config) {
  const GgufMetadata& metadata = file.metadata();
  if (!metadata.Has(kShardSlot)) return BlockRange{0, config.n_layers, true, true};
  const uint32_t slot = TT_TRY(metadata.GetU32(kShardSlot));
  const uint32_t slots = TT_TRY(metadata.GetU32(kShardSlots));
  BlockRange range;
  range.first = TT_TRY(metadata.GetU32(kShardFirstBlock));
  range.count = TT_TRY(metadata.GetU32(kShardBlockCount));
  range.with_embedding = slot == 0;
  range.with_head = slot + 1 == slots;
  const bool inside = range.count >= 1 && range.first <= config.n_layers &&
                      range.count <= config.n_layers - range.first;
  const bool starts = (range.first == 0) == (slot == 0);
  const bool ends = (inside && range.first + range.count == config.n_layers) == range.with_head;
  if (slot >= slots || !inside || !starts || !ends) {
    return Error(Code::kInvalidArgument,
                 "the teetee.* keys of slot " + std::to_string(slot) + " contradict the model");
  }
  return range;
}

}  // namespace teetee::model
