#include <gtest/gtest.h>

#include <cmath>

#include "head/openai_request.h"
#include "head/openai_response.h"

namespace teetee::head {
namespace {

constexpr const char* kChat = "/v1/chat/completions";
constexpr const char* kText = "/v1/completions";

// The good request with one member more or replaced.
Json With(bool chat, const char* key, const char* value) {
  Json body = *Json::Parse(chat ? R"({"model":"m","messages":[{"role":"user","content":"hi"}]})" : R"({"model":"m","prompt":"hi"})");
  if (key) body.Set(key, *Json::Parse(value));
  return body;
}

std::string ParamOf(bool chat, const char* key, const char* value) {
  auto parsed = ParseGenerationRequest(chat ? kChat : kText, With(chat, key, value), 1);
  auto* refused = std::get_if<RequestError>(&parsed);
  if (!refused) return "accepted";
  EXPECT_EQ(refused->error.code(), Code::kInvalidArgument);
  return refused->param;
}

TEST(GenerationRequests, RefusalsNameTheMember) {
  struct Case {
    const char *key, *value;
  };
  for (const Case& c : {
           Case{"model", "7"}, {"model", "null"}, {"temperature", "\"hot\""}, {"temperature", "-0.1"}, {"temperature", "2.1"},
           {"top_p", "1.1"}, {"top_p", "true"}, {"min_p", "-1"}, {"top_k", "-1"}, {"top_k", "1.5"}, {"frequency_penalty", "3"},
           {"presence_penalty", "\"1\""}, {"repetition_penalty", "0"}, {"seed", "1.5"}, {"seed", "\"1\""}, {"max_tokens", "0"},
           {"max_tokens", "\"9\""}, {"max_completion_tokens", "-5"}, {"n", "0"}, {"n", "9"}, {"stream", "1"}, {"stop", "[1]"},
           {"stop", "\"\""}, {"stop", "7"}, {"logit_bias", "[]"}, {"logit_bias", "{\"x\":1}"}, {"logit_bias", "{\"1\":101}"},
           {"logit_bias", "{\"1\":\"2\"}"}, {"logit_bias", "{\"1234567890\":1}"}, {"functions", "[]"}, {"function_call", "\"auto\""},
           {"audio", "{}"}, {"best_of", "2"}, {"suffix", "\"x\""}, {"response_format", "{\"type\":\"json_object\"}"}, {"echo", "true"},
           {"echo", "1"}, {"tool_choice", "\"required\""}, {"tool_choice", "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}"}}) {
    EXPECT_EQ(ParamOf(true, c.key, c.value), c.key) << c.value;
    EXPECT_EQ(ParamOf(false, c.key, c.value), c.key) << c.value;
  }
  for (const Case& c : {Case{"messages", "[]"}, {"messages", "{}"}, {"messages", "null"}, {"messages", "[7]"}, {"messages", "[{\"content\":\"x\"}]"},
                        {"messages", "[{\"role\":\"user\",\"content\":7}]"}, {"messages", R"([{"role":"user","content":[{"type":"image_url"}]}])"},
                        {"tools", "{}"}, {"logprobs", "3"}, {"top_logprobs", "3"}, {"top_logprobs", "21"}}) {
    EXPECT_EQ(ParamOf(true, c.key, c.value), c.key) << c.value;
  }
  for (const Case& c : {Case{"prompt", "7"}, {"prompt", "null"}, {"prompt", "[\"a\",\"b\"]"}, {"prompt", "[1,2]"}, {"logprobs", "true"}, {"logprobs", "6"}}) {
    EXPECT_EQ(ParamOf(false, c.key, c.value), c.key) << c.value;
  }
  std::string stops = "[";
  for (int i = 0; i < 17; ++i) stops += i ? ",\"a\"" : "\"a\"";
  EXPECT_EQ(ParamOf(true, "stop", (stops + "]").c_str()), "stop");
  EXPECT_EQ(ParamOf(true, "stop", ("\"" + std::string(257, 'x') + "\"").c_str()), "stop");
}

TEST(GenerationRequests, WhatChangesNothingIsAccepted) {
  EXPECT_EQ(ParamOf(true, "tool_choice", "\"auto\""), "accepted");
  EXPECT_EQ(ParamOf(true, "tool_choice", "\"none\""), "accepted");
  for (const char* key : {"user", "metadata", "store", "service_tier"}) EXPECT_EQ(ParamOf(true, key, "\"x\""), "accepted") << key;
  for (const char* key : {"temperature", "stop", "seed", "logit_bias", "functions", "n", "stream", "max_tokens"}) {
    EXPECT_EQ(ParamOf(true, key, "null"), "accepted") << key;
  }
  EXPECT_EQ(ParamOf(false, "best_of", "1"), "accepted");
  EXPECT_EQ(ParamOf(false, "suffix", "\"\""), "accepted");
  EXPECT_EQ(ParamOf(true, "response_format", "{\"type\":\"text\"}"), "accepted");
}

TEST(GenerationRequests, NotAnObjectAndUnknownPaths) {
  auto list = ParseGenerationRequest(kChat, Json::MakeArray(), 1);
  EXPECT_EQ(std::get<RequestError>(list).error.code(), Code::kInvalidArgument);
  auto path = ParseGenerationRequest("/v1/embeddings", With(true, nullptr, nullptr), 1);
  EXPECT_EQ(std::get<RequestError>(path).error.code(), Code::kNotFound);
}

GenerationRequest Good(bool chat, const char* key, const char* value) {
  auto parsed = ParseGenerationRequest(chat ? kChat : kText, With(chat, key, value), 77);
  auto* good = std::get_if<GenerationRequest>(&parsed);
  EXPECT_TRUE(good) << key;
  return good ? *good : GenerationRequest{};
}

TEST(GenerationRequests, ValuesArriveAsTheyWereMeant) {
  auto plain = Good(true, nullptr, nullptr);
  EXPECT_EQ(plain.sampler.seed, 77u);
  EXPECT_EQ(plain.sampler.temperature, 1.0f);
  EXPECT_FALSE(plain.max_tokens);
  EXPECT_EQ(Good(false, nullptr, nullptr).max_tokens, 16u) << "OpenAI's default of the older endpoint";
  EXPECT_EQ(plain.choices, 1u);
  EXPECT_EQ(Good(true, "seed", "5").sampler.seed, 5u);
  EXPECT_EQ(Good(true, "seed", "-1").sampler.seed, ~uint64_t{0});
  EXPECT_EQ(Good(true, "seed", "18446744073709551615").sampler.seed, ~uint64_t{0});
  EXPECT_EQ(Good(true, "temperature", "0.1").sampler.temperature, 0.1f);
  EXPECT_EQ(Good(true, "temperature", "1e-9").sampler.temperature, 0.0f);
  EXPECT_EQ(Good(true, "stop", "\"a\"").stop, (std::vector<std::string>{"a"}));
  EXPECT_EQ(Good(true, "stop", "[\"a\",\"b\"]").stop.size(), 2u);
  EXPECT_EQ(Good(true, "max_tokens", "9").max_tokens, 9u);
  EXPECT_EQ(Good(true, "max_completion_tokens", "8").max_tokens, 8u);
  auto bias = Good(true, "logit_bias", "{\"12\":-100}").sampler.logit_bias;
  ASSERT_EQ(bias.size(), 1u);
  EXPECT_EQ(bias[0], (std::pair<int32_t, float>{12, -100.0f}));
  EXPECT_TRUE(Good(true, "stream_options", "{\"include_usage\":true}").include_usage);
  EXPECT_EQ(Good(false, "prompt", "[\"one\"]").prompt, "one");
  auto logprobs = Good(false, "logprobs", "0");
  EXPECT_TRUE(logprobs.logprobs);
  EXPECT_EQ(logprobs.top_logprobs, 0u);
  auto parts = Good(true, "messages", R"([{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"assistant","content":null}])");
  EXPECT_EQ(*parts.messages.as_array()[0].GetString("content"), "ab");
  EXPECT_EQ(*parts.messages.as_array()[1].GetString("content"), "");
}

TEST(GenerationRequests, EverySettingPassesTheSampler) {
  for (auto [key, value] : {std::pair{"temperature", "2"}, {"temperature", "0.00006104"}, {"temperature", "0.00006"}, {"repetition_penalty", "0.1"},
                            {"repetition_penalty", "10"}, {"frequency_penalty", "-2"}, {"top_p", "0"}, {"min_p", "1"}, {"top_k", "1048576"}}) {
    Status valid = Good(true, key, value).sampler.Validate(512);
    EXPECT_TRUE(valid) << key << " " << value << ": " << valid.error().message();
  }
}

TEST(Answers, HaveOpenAisShapes) {
  AnswerHead chat{true, "chatcmpl-1", 123, "m", true};
  Choice choice{0, "hi", "stop", {{"hi", Bytes{'h', 'i'}, -0.5f, {{"ho", Bytes{'h', 'o'}, -HUGE_VALF, {}}}}}};
  Usage usage{3, 4};
  EXPECT_EQ(FullAnswer(chat, {choice}, usage).Canonical(),
            R"({"choices":[{"finish_reason":"stop","index":0,"logprobs":{"content":[{"bytes":[104,105],"logprob":-0.5,"token":"hi",)"
            R"("top_logprobs":[{"bytes":[104,111],"logprob":-9999,"token":"ho"}]}],"refusal":null},"message":{"content":"hi","refusal":null,)"
            R"("role":"assistant"}}],"created":123,"id":"chatcmpl-1","model":"m","object":"chat.completion",)"
            R"("usage":{"completion_tokens":4,"prompt_tokens":3,"prompt_tokens_details":{"cached_tokens":0},"total_tokens":7}})");
  AnswerHead text{false, "cmpl-1", 123, "m", true};
  EXPECT_EQ(FullAnswer(text, {choice}, usage).Canonical(),
            R"({"choices":[{"finish_reason":"stop","index":0,"logprobs":{"text_offset":[0],"token_logprobs":[-0.5],"tokens":["hi"],)"
            R"("top_logprobs":[{"ho":-9999}]},"text":"hi"}],"created":123,"id":"cmpl-1","model":"m","object":"text_completion",)"
            R"("usage":{"completion_tokens":4,"prompt_tokens":3,"prompt_tokens_details":{"cached_tokens":0},"total_tokens":7}})");
}

TEST(Answers, StreamInOpenAisShapes) {
  AnswerHead chat{true, "c", 1, "m", false};
  EXPECT_EQ(Chunk(chat, {0, "", "", {}}, true).Canonical(),
            R"({"choices":[{"delta":{"content":"","role":"assistant"},"finish_reason":null,"index":0,"logprobs":null}],"created":1,"id":"c","model":"m","object":"chat.completion.chunk"})");
  EXPECT_EQ(Chunk(chat, {1, "x", "", {}}, false).Find("choices")->as_array()[0].Find("delta")->Canonical(), R"({"content":"x"})");
  Json last = Chunk(chat, {0, "", "length", {}}, false);
  EXPECT_EQ(last.Find("choices")->as_array()[0].Find("delta")->Canonical(), "{}");
  EXPECT_EQ(*last.Find("choices")->as_array()[0].GetString("finish_reason"), "length");
  Json usage = UsageChunk(chat, {1, 2});
  EXPECT_TRUE(usage.Find("choices")->as_array().empty());
  EXPECT_EQ(*usage.Find("usage")->GetUint64("total_tokens"), 3u);
}

TEST(ErrorObjects, NameTheMemberOrNothing) {
  EXPECT_EQ(ErrorObject(Error(Code::kInvalidArgument, "why"), "n").Canonical(),
            R"({"code":"invalid_argument","message":"why","param":"n","type":"invalid_request_error"})");
  EXPECT_TRUE(ErrorObject(Error(Code::kInternal, "why")).Find("param")->is_null());
}

}  // namespace
}  // namespace teetee::head
