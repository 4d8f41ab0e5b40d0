#include "pipeline/open.h"

#include "protocol/fields.h"

namespace teetee::pipeline {
namespace {

using protocol::GetBounded;
using protocol::GetHex;

constexpr size_t kMaxOpenBytes = 1u << 20;
constexpr uint32_t kMaxDeadlineMs = 12 * 3600 * 1000;
constexpr uint32_t kMaxBias = 1024;

Result<float> GetFloat(const Json& json, std::string_view key) {
  const Json* value = TT_TRY(json.Get(key));
  if (!value->is_number()) return Error(Code::kInvalidArgument, "field '" + std::string(key) + "': expected a number");
  return static_cast<float>(value->as_double());
}

Result<double> GetDouble(const Json& json, std::string_view key) {
  const Json* value = TT_TRY(json.Get(key));
  if (!value->is_number()) return Error(Code::kInvalidArgument, "field '" + std::string(key) + "': expected a number");
  return value->as_double();
}

Result<PayMode> ModeFromName(std::string_view name) {
  for (PayMode mode : {PayMode::kFree, PayMode::kTab, PayMode::kStrict}) {
    if (PayModeName(mode) == name) return mode;
  }
  return Error(Code::kInvalidArgument, "OPEN: unknown mode");
}

Status ReadPromptIds(const Json& json, OpenFrame& out) {
  const Json* ids = json.Find("prompt_ids");
  if (!ids) return Ok{};
  if (!ids->is_array() || ids->as_array().size() != out.prompt_tokens) {
    return Error(Code::kInvalidArgument, "OPEN: not as many prompt ids as prompt tokens");
  }
  for (const Json& id : ids->as_array()) {
    uint64_t value = TT_TRY(id.ToUint64());
    if (value > UINT32_MAX) return Error(Code::kInvalidArgument, "OPEN: a prompt id out of range");
    out.prompt_ids.push_back(static_cast<uint32_t>(value));
  }
  return Ok{};
}

Status ReadPrefix(const Json& json, OpenFrame& out) {
  const Json* keys = json.Find("prefix");
  if (!keys) return Ok{};
  if (!keys->is_string() || keys->as_string().size() > kMaxPrefixKeys * 32 || keys->as_string().size() % 32 != 0) {
    return Error(Code::kInvalidArgument, "OPEN: prefix is hex of keys of 16 bytes, one after another");
  }
  std::string_view text = keys->as_string();
  for (; !text.empty(); text.remove_prefix(32)) {
    out.prefix.push_back(TT_TRY(FromHexFixed<16>(text.substr(0, 32))));
  }
  return Ok{};
}

}  // namespace

std::string_view PayModeName(PayMode mode) {
  switch (mode) {
    case PayMode::kFree: return "free";
    case PayMode::kTab: return "tab";
    case PayMode::kStrict: return "strict";
  }
  return "free";
}

// Floats travel as JSON doubles: f32 -> f64 -> text -> f64 -> f32 is exact (shortest digits that read back equal).
Json SamplerJson(const SamplingSpec& spec) {
  const engine::SamplerSettings& s = spec.settings;
  Json bias = Json::MakeArray();
  for (const auto& [id, value] : s.logit_bias) {
    Json pair = Json::MakeArray();
    pair.Push(int64_t{id}).Push(double{value});
    bias.Push(std::move(pair));
  }
  return Json::MakeObject({{"temperature", double{s.temperature}},
                           {"top_k", uint64_t{s.top_k}},
                           {"top_p", double{s.top_p}},
                           {"min_p", double{s.min_p}},
                           {"repetition_penalty", double{s.repetition_penalty}},
                           {"frequency_penalty", double{s.frequency_penalty}},
                           {"presence_penalty", double{s.presence_penalty}},
                           {"seed", std::to_string(s.seed)},
                           {"logit_bias", std::move(bias)},
                           {"logprobs", spec.logprobs},
                           {"top_logprobs", spec.top_logprobs}});
}

Result<SamplingSpec> SamplerFromJson(const Json& json) {
  SamplingSpec spec;
  engine::SamplerSettings& s = spec.settings;
  s.temperature = TT_TRY(GetFloat(json, "temperature"));
  s.top_k = static_cast<uint32_t>(TT_TRY(GetBounded(json, "top_k", UINT32_MAX)));
  s.top_p = TT_TRY(GetDouble(json, "top_p"));
  s.min_p = TT_TRY(GetDouble(json, "min_p"));
  s.repetition_penalty = TT_TRY(GetFloat(json, "repetition_penalty"));
  s.frequency_penalty = TT_TRY(GetFloat(json, "frequency_penalty"));
  s.presence_penalty = TT_TRY(GetFloat(json, "presence_penalty"));
  chain::Wei seed = TT_TRY(protocol::GetWei(json, "seed"));
  if (seed.value() > UINT64_MAX) return Error(Code::kInvalidArgument, "sampler: seed out of range");
  s.seed = static_cast<uint64_t>(seed.value());
  const Json* bias = TT_TRY(json.GetArray("logit_bias"));
  if (bias->as_array().size() > kMaxBias) return Error(Code::kInvalidArgument, "sampler: too many biases");
  for (const Json& pair : bias->as_array()) {
    if (!pair.is_array() || pair.as_array().size() != 2 || !pair.as_array()[1].is_number()) {
      return Error(Code::kInvalidArgument, "sampler: a bias is a pair of id and number");
    }
    uint64_t id = TT_TRY(pair.as_array()[0].ToUint64());
    if (id > INT32_MAX) return Error(Code::kInvalidArgument, "sampler: bias of an id out of range");
    s.logit_bias.emplace_back(static_cast<int32_t>(id), static_cast<float>(pair.as_array()[1].as_double()));
  }
  spec.logprobs = TT_TRY(json.GetBool("logprobs"));
  spec.top_logprobs = static_cast<uint32_t>(TT_TRY(GetBounded(json, "top_logprobs", kMaxAlternatives)));
  return spec;
}

Bytes Serialize(const OpenFrame& frame) {
  Json json = Json::MakeObject({{"stream", frame.stream},
                                {"prompt_tokens", frame.prompt_tokens},
                                {"max_positions", frame.max_positions},
                                {"deadline_ms", frame.deadline_ms},
                                {"plan", frame.plan.ToJson()},
                                {"commit", ToHex(frame.commit)},
                                {"line", ToHex0x(frame.line)},
                                {"mode", PayModeName(frame.mode)},
                                {"query", ToHex0x(frame.query)}});
  if (frame.sampler) json.Set("sampler", SamplerJson(*frame.sampler));
  if (!frame.prompt_ids.empty()) {
    Json ids = Json::MakeArray();
    for (uint32_t id : frame.prompt_ids) ids.Push(id);
    json.Set("prompt_ids", std::move(ids));
  }
  if (!frame.prefix.empty()) {
    std::string keys;
    for (const PrefixKey& key : frame.prefix) keys += ToHex(key);
    json.Set("prefix", std::move(keys));
  }
  ByteWriter writer;
  WriteHead(writer, frame.head);
  writer.Raw(json.Dump());
  return writer.Take();
}

Result<OpenFrame> ParseOpen(ByteView payload, uint32_t max_positions_limit) {
  ByteReader reader(payload);
  OpenFrame out;
  out.head = TT_TRY(ReadHead(reader));
  ByteView text = TT_TRY(reader.View(reader.remaining()));
  Json json = TT_TRY(Json::Parse(AsText(text), {.max_bytes = kMaxOpenBytes, .max_depth = 8}));
  out.stream = TT_TRY(json.GetUint64("stream"));
  out.prompt_tokens = static_cast<uint32_t>(TT_TRY(GetBounded(json, "prompt_tokens", max_positions_limit)));
  out.max_positions = static_cast<uint32_t>(TT_TRY(GetBounded(json, "max_positions", max_positions_limit)));
  out.deadline_ms = static_cast<uint32_t>(TT_TRY(GetBounded(json, "deadline_ms", kMaxDeadlineMs)));
  out.plan = TT_TRY(protocol::Plan::FromJson(*TT_TRY(json.GetObject("plan"))));
  out.commit = TT_TRY(GetHex<32>(json, "commit"));
  out.line = TT_TRY(GetHex<32>(json, "line"));
  out.mode = TT_TRY(ModeFromName(TT_TRY(json.GetString("mode"))));
  out.query = TT_TRY(GetHex<32>(json, "query"));
  if (const Json* sampler = json.Find("sampler")) out.sampler = TT_TRY(SamplerFromJson(*sampler));
  TT_RETURN_IF_ERROR(ReadPromptIds(json, out));
  TT_RETURN_IF_ERROR(ReadPrefix(json, out));
  return out;
}

}  // namespace teetee::pipeline
