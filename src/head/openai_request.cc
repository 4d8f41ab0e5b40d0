#include "head/openai_request.h"

#include <cmath>

namespace teetee::head {
namespace {

constexpr uint32_t kDefaultTextTokens = 16;  // OpenAI's, of the older endpoint

// Reads members of one object and remembers the name of the member at fault.
class Reader {
 public:
  explicit Reader(const Json& body) : body_(body) {}

  const std::string& param() const { return param_; }

  // nullptr when absent or null.
  const Json* Find(std::string_view key) {
    const Json* value = body_.Find(key);
    return value && !value->is_null() ? value : nullptr;
  }

  Result<double> Number(std::string_view key, double otherwise, double low, double high) {
    const Json* value = Find(key);
    if (!value) return otherwise;
    if (!value->is_number()) return Fail(key, "expected a number");
    double number = value->as_double();
    if (!(number >= low && number <= high)) {
      return Fail(key, "out of range [" + Text(low) + ", " + Text(high) + "]");
    }
    return number;
  }

  Result<std::optional<uint64_t>> Integer(std::string_view key, uint64_t low, uint64_t high) {
    const Json* value = Find(key);
    if (!value) return std::optional<uint64_t>();
    auto number = value->ToUint64();
    if (!number || *number < low || *number > high) {
      return Fail(key, "expected an integer of [" + std::to_string(low) + ", " + std::to_string(high) + "]");
    }
    return std::optional<uint64_t>(*number);
  }

  Result<bool> Bool(std::string_view key, bool otherwise) {
    const Json* value = Find(key);
    if (!value) return otherwise;
    if (!value->is_bool()) return Fail(key, "expected true or false");
    return value->as_bool();
  }

  Error Fail(std::string_view key, std::string_view what) {
    param_ = key;
    return Error(Code::kInvalidArgument, "'" + std::string(key) + "': " + std::string(what));
  }

 private:
  static std::string Text(double v) { return Json(v).Dump(); }
  const Json& body_;
  std::string param_;
};

// "content" is a string, null, or an array of {"type":"text","text":...} parts, which are joined.
Result<Json> NormalizeMessage(Reader& reader, const Json& message) {
  if (!message.is_object()) return reader.Fail("messages", "each message is an object");
  auto role = message.GetString("role");
  if (!role) return reader.Fail("messages", "a message without a role");
  Json out = message;
  const Json* content = message.Find("content");
  if (!content || content->is_null()) {
    out.Set("content", "");
    return out;
  }
  if (content->is_string()) return out;
  if (!content->is_array()) return reader.Fail("messages", "content is text or a list of parts");
  std::string joined;
  for (const Json& part : content->as_array()) {
    auto type = part.GetString("type");
    auto text = part.GetString("text");
    if (!type || *type != "text" || !text) {
      return reader.Fail("messages", "this model reads text parts only");
    }
    joined += *text;
  }
  out.Set("content", joined);
  return out;
}

Status ReadMessages(Reader& reader, GenerationRequest& out) {
  const Json* messages = reader.Find("messages");
  if (!messages || !messages->is_array() || messages->as_array().empty()) {
    return reader.Fail("messages", "expected a list with at least one message");
  }
  for (const Json& message : messages->as_array()) {
    out.messages.Push(TT_TRY(NormalizeMessage(reader, message)));
  }
  if (const Json* tools = reader.Find("tools")) {
    if (!tools->is_array()) return reader.Fail("tools", "expected a list");
    out.tools = *tools;
  }
  return Ok{};
}

Status ReadPrompt(Reader& reader, GenerationRequest& out) {
  const Json* prompt = reader.Find("prompt");
  if (prompt && prompt->is_array() && prompt->as_array().size() == 1) prompt = &prompt->as_array()[0];
  if (!prompt || !prompt->is_string()) return reader.Fail("prompt", "expected one text");
  out.prompt = prompt->as_string();
  return Ok{};
}

Status ReadStops(Reader& reader, GenerationRequest& out) {
  const Json* stop = reader.Find("stop");
  if (!stop) return Ok{};
  Json::Array list = stop->is_array() ? stop->as_array() : Json::Array{*stop};
  if (list.size() > kMaxStops) return reader.Fail("stop", "at most 16 stop texts");
  for (const Json& text : list) {
    if (!text.is_string() || text.as_string().empty() || text.as_string().size() > kMaxStopBytes) {
      return reader.Fail("stop", "expected texts of 1 to 256 bytes");
    }
    out.stop.push_back(text.as_string());
  }
  return Ok{};
}

Status ReadSampler(Reader& reader, GenerationRequest& out, uint64_t default_seed) {
  engine::SamplerSettings& s = out.sampler;
  double temperature = TT_TRY(reader.Number("temperature", 1, 0, 2));
  // Below 2^-14 profile 1 has no division: such a wish means greedy.
  s.temperature = temperature < 0x1p-14 ? 0.0f : static_cast<float>(temperature);
  s.top_p = TT_TRY(reader.Number("top_p", 1, 0, 1));
  s.min_p = TT_TRY(reader.Number("min_p", 0, 0, 1));
  s.top_k = static_cast<uint32_t>(TT_TRY(reader.Integer("top_k", 0, 1u << 20)).value_or(0));
  s.frequency_penalty = static_cast<float>(TT_TRY(reader.Number("frequency_penalty", 0, -2, 2)));
  s.presence_penalty = static_cast<float>(TT_TRY(reader.Number("presence_penalty", 0, -2, 2)));
  s.repetition_penalty = static_cast<float>(TT_TRY(reader.Number("repetition_penalty", 1, 0.1, 10)));
  s.seed = default_seed;
  if (const Json* seed = reader.Find("seed")) {
    if (auto natural = seed->ToUint64()) {
      s.seed = *natural;
    } else if (auto integer = seed->ToInt64()) {
      s.seed = static_cast<uint64_t>(*integer);
    } else {
      return reader.Fail("seed", "expected an integer");
    }
  }
  const Json* bias = reader.Find("logit_bias");
  if (bias && (!bias->is_object() || bias->as_object().size() > 1024)) {
    return reader.Fail("logit_bias", "expected an object of at most 1024 members");
  }
  if (!bias) return Ok{};
  for (const auto& [id, value] : bias->as_object()) {
    bool digits = !id.empty() && id.size() <= 9 && id.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || !value.is_number() || std::abs(value.as_double()) > 100) {
      return reader.Fail("logit_bias", "expected token ids with numbers of [-100, 100]");
    }
    s.logit_bias.emplace_back(static_cast<int32_t>(std::stoul(id)), static_cast<float>(value.as_double()));
  }
  return Ok{};
}

Status ReadLogprobs(Reader& reader, GenerationRequest& out) {
  if (out.chat) {
    out.logprobs = TT_TRY(reader.Bool("logprobs", false));
    auto top = TT_TRY(reader.Integer("top_logprobs", 0, kMaxTopLogprobs));
    if (top.value_or(0) > 0 && !out.logprobs) return reader.Fail("top_logprobs", "needs logprobs: true");
    out.top_logprobs = static_cast<uint32_t>(top.value_or(0));
    return Ok{};
  }
  auto top = TT_TRY(reader.Integer("logprobs", 0, 5));
  out.logprobs = top.has_value();
  out.top_logprobs = static_cast<uint32_t>(top.value_or(0));
  return Ok{};
}

Status RefuseUnsupported(Reader& reader) {
  for (std::string_view key : {"functions", "function_call", "audio", "modalities", "suffix", "best_of"}) {
    const Json* value = reader.Find(key);
    bool harmless = value && ((key == "best_of" && *value == Json(int64_t{1})) ||
                              (key == "suffix" && *value == Json("")));
    if (value && !harmless) return reader.Fail(key, "is not supported");
  }
  if (const Json* format = reader.Find("response_format")) {
    auto type = format->GetString("type");
    if (!type || *type != "text") return reader.Fail("response_format", "only text is supported");
  }
  const Json* choice = reader.Find("tool_choice");
  if (choice && *choice != Json("auto") && *choice != Json("none")) {
    return reader.Fail("tool_choice", "only auto and none are supported: nothing can force this model to call");
  }
  if (TT_TRY(reader.Bool("echo", false))) return reader.Fail("echo", "is not supported");
  return Ok{};
}

Status Read(Reader& reader, GenerationRequest& out, uint64_t default_seed) {
  const Json* model = reader.Find("model");
  if (!model || !model->is_string()) return reader.Fail("model", "expected a text");
  out.model = model->as_string();
  TT_RETURN_IF_ERROR(RefuseUnsupported(reader));
  TT_RETURN_IF_ERROR(out.chat ? ReadMessages(reader, out) : ReadPrompt(reader, out));
  auto most = TT_TRY(reader.Integer("max_completion_tokens", 1, 1u << 24));
  auto also = TT_TRY(reader.Integer("max_tokens", 1, 1u << 24));
  if (!most) most = also;
  if (most) out.max_tokens = static_cast<uint32_t>(*most);
  if (!most && !out.chat) out.max_tokens = kDefaultTextTokens;
  TT_RETURN_IF_ERROR(ReadStops(reader, out));
  TT_RETURN_IF_ERROR(ReadSampler(reader, out, default_seed));
  TT_RETURN_IF_ERROR(ReadLogprobs(reader, out));
  out.choices = static_cast<uint32_t>(TT_TRY(reader.Integer("n", 1, kMaxChoices)).value_or(1));
  out.stream = TT_TRY(reader.Bool("stream", false));
  out.cache_prompt = TT_TRY(reader.Bool("cache_prompt", true));
  if (const Json* options = reader.Find("stream_options")) {
    auto usage = options->GetBool("include_usage");
    out.include_usage = usage && *usage;
  }
  return Ok{};
}

}  // namespace

std::variant<GenerationRequest, RequestError> ParseGenerationRequest(std::string_view path, const Json& body,
                                                                     uint64_t default_seed) {
  GenerationRequest out;
  Reader reader(body);
  if (!body.is_object()) {
    return RequestError{Error(Code::kInvalidArgument, "the request body is not a JSON object"), ""};
  }
  if (path != "/v1/chat/completions" && path != "/v1/completions") {
    return RequestError{Error(Code::kNotFound, "unknown path"), ""};
  }
  out.chat = path == "/v1/chat/completions";
  Status read = Read(reader, out, default_seed);
  if (!read) return RequestError{std::move(read).error(), reader.param()};
  return out;
}

Json ErrorObject(const Error& error, std::string_view param) {
  return Json::MakeObject({{"message", error.message()},
                           {"type", OpenAiErrorType(error.code())},
                           {"param", param.empty() ? Json() : Json(param)},
                           {"code", CodeName(error.code())}});
}

}  // namespace teetee::head
