// Requests in OpenAI's shape -> what the pipeline needs. Strict about types and ranges, lenient about members that change nothing here
// ("user", "metadata", ...); members that would change the answer and are not supported are refused by name.
// Source: OpenAI API reference, chat completions and completions (2025).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/sampler.h"

namespace teetee::head {

inline constexpr uint32_t kMaxChoices = 8;
inline constexpr uint32_t kMaxTopLogprobs = 20;
inline constexpr size_t kMaxStops = 16;
inline constexpr size_t kMaxStopBytes = 256;

struct GenerationRequest {
  bool chat = true;                    // chat completions, else completions
  std::string model;                   // as the client named it
  Json messages = Json::MakeArray();   // chat
  Json tools;                          // chat; null when there are none
  std::string prompt;                  // completions
  std::optional<uint32_t> max_tokens;  // of the answer; none: the head's default
  engine::SamplerSettings sampler;
  std::vector<std::string> stop;
  uint32_t choices = 1;        // n
  bool stream = false;
  bool include_usage = false;  // stream_options.include_usage
  bool logprobs = false;
  uint32_t top_logprobs = 0;
  bool cache_prompt = true;  // extension: false leaves no page of this prompt in a prefix cache, and uses none
};

// A refusal with the name of the member, as OpenAI's error object gives it ("param").
struct RequestError {
  Error error;
  std::string param;
};

// path: "/v1/chat/completions" or "/v1/completions". default_seed serves when the request has none.
std::variant<GenerationRequest, RequestError> ParseGenerationRequest(std::string_view path, const Json& body,
                                                                     uint64_t default_seed);

// {"message","type","param","code"}; a server's own faults are not described in detail.
Json ErrorObject(const Error& error, std::string_view param = "");

}  // namespace teetee::head
