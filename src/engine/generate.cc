#include "engine/generate.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace teetee::engine {
namespace {

using Clock = std::chrono::steady_clock;  // times what is reported; nothing is computed from it

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Status CheckPrompt(std::span<const TokenId> prompt, size_t context,
                   const GenerateOptions& options) {
  if (prompt.empty()) return Error(Code::kInvalidArgument, "the prompt is empty");
  if (prompt.size() >= context) {
    return Error(Code::kInvalidArgument, "the prompt has " + std::to_string(prompt.size()) +
                                             " tokens and leaves no room in a context of " +
                                             std::to_string(context));
  }
  if (options.prefill_chunk == 0 || options.prefill_chunk > model::Shard::kMaxBatchRows) {
    return Error(Code::kInvalidArgument,
                 "the prefill chunk must be 1 to " + std::to_string(model::Shard::kMaxBatchRows));
  }
  if (options.drafts.most > kMaxDraft) {
    return Error(Code::kInvalidArgument, "a draft has at most " + std::to_string(kMaxDraft) + " ids");
  }
  return Ok{};
}

// An answer at work.
class Generation {
 public:
  Generation(LocalPipeline& pipeline, const GenerateOptions& options, Answer answer,
             SamplingState sampling, LocalSequence sequence)
      : pipeline_(pipeline),
        options_(options),
        answer_(std::move(answer)),
        sampling_(std::move(sampling)),
        sequence_(std::move(sequence)),
        drafter_(options.drafts) {}

  Result<GenerateResult> Run(std::span<const TokenId> prompt) {
    const size_t vocab = pipeline_.config().vocab_size;
    logits_.resize((1 + options_.drafts.most) * vocab);
    Clock::time_point start = Clock::now();
    TT_RETURN_IF_ERROR(pipeline_.Prefill(sequence_, prompt, options_.prefill_chunk, logits_.data()));
    result_.prefill_seconds = SecondsSince(start);
    start = Clock::now();
    drafter_.Add(prompt);
    TT_RETURN_IF_ERROR(Take(std::span(logits_).first(vocab)));
    while (answer_.finish() == FinishReason::kNone) TT_RETURN_IF_ERROR(Step());
    result_.decode_seconds = SecondsSince(start);
    result_.ids = answer_.ids();
    result_.text = answer_.text();
    result_.finish = answer_.finish();
    return std::move(result_);
  }

 private:
  // Draws from one row, shows the token.
  Status Take(std::span<const float> logits) {
    if (options_.on_logits) options_.on_logits(logits);
    const SampledToken token = TT_TRY(sampling_.Next(logits, sampler_));
    drafter_.Add({&token.id, 1});
    const std::string text = answer_.Push(token.id);
    if (options_.on_token && !options_.on_token(token, text)) {
      return Error(Code::kCancelled, "cancelled");
    }
    return Ok{};
  }

  // Feeds the last token and a draft behind it, takes what came true, and forgets the rest.
  Status Step() {
    const size_t vocab = pipeline_.config().vocab_size, length = sequence_.length();
    std::vector<TokenId> feed{answer_.ids().back()};
    const size_t room = sequence_.capacity() - length - 1;
    for (TokenId id : drafter_.Draft(room, DraftRowCost(1))) feed.push_back(id);
    PipelineItem item{&sequence_, feed, feed.size(), logits_.data(), std::nullopt};
    TT_RETURN_IF_ERROR(pipeline_.Forward({&item, 1}));
    if (item.error) return *std::move(item.error);
    size_t taken = 0;
    do {
      TT_RETURN_IF_ERROR(Take(std::span(logits_).subspan(taken * vocab, vocab)));
      ++taken;
    } while (answer_.finish() == FinishReason::kNone && taken < feed.size() &&
             feed[taken] == answer_.ids().back());
    drafter_.Judge(feed.size() - 1, taken - 1);
    result_.drafted += feed.size() - 1;
    result_.accepted += taken - 1;
    return sequence_.Truncate(length + taken);
  }

  LocalPipeline& pipeline_;
  const GenerateOptions& options_;
  Answer answer_;
  SamplingState sampling_;
  LocalSequence sequence_;
  Drafter drafter_;
  Sampler sampler_;
  std::vector<float> logits_;  // (1 + drafts.most, vocab_size)
  GenerateResult result_;
};

}  // namespace

Result<GenerateResult> Generate(LocalPipeline& pipeline, const model::Tokenizer& tokenizer,
                                std::span<const TokenId> prompt, const GenerateOptions& options) {
  const model::ModelConfig& config = pipeline.config();
  TT_RETURN_IF_ERROR(CheckPrompt(prompt, config.context_length, options));
  AnswerLimits limits = options.limits;
  limits.max_tokens = std::min<size_t>(limits.max_tokens, config.context_length - prompt.size());
  const size_t capacity = prompt.size() + limits.max_tokens;
  Answer answer = TT_TRY(Answer::Make(tokenizer, std::move(limits)));
  SamplingState sampling = TT_TRY(SamplingState::Make(
      options.sampler, options.stream, options.top_logprobs, prompt, config.vocab_size));
  LocalSequence sequence = TT_TRY(pipeline.MakeSequence(capacity));
  Generation generation(pipeline, options, std::move(answer), std::move(sampling),
                        std::move(sequence));
  return generation.Run(prompt);
}

}  // namespace teetee::engine
