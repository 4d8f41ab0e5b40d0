// teetee run: a model answers a prompt in this process; no network, no account.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "apps/teetee/cli.h"
#include "apps/teetee/model_files.h"
#include "crypto/hash.h"
#include "engine/generate.h"
#include "engine/prompt.h"

namespace teetee::cli {
namespace {

struct Options {
  ComputeOptions compute;
  std::string prompt;
  std::string system;
  size_t max_tokens = 256;
  engine::SamplerSettings sampler{.temperature = 0.7f, .top_p = 0.95};
  std::vector<std::string> stops;
  size_t prefill_chunk = 512;
  bool ignore_end = false;
  bool raw = false;
  bool no_speculation = false;
  bool json = false;
};

int64_t NowUnix() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

Result<std::vector<model::TokenId>> MakePrompt(const Options& o,
                                               const model::Tokenizer& tokenizer) {
  const auto builder = TT_TRY(engine::PromptBuilder::Make(tokenizer));
  if (o.raw || !builder.has_template()) return builder.Text(o.prompt);
  Json messages = Json::MakeArray();
  const auto add = [&](const char* role, const std::string& text) {
    messages.Push(Json::MakeObject({{"role", Json(role)}, {"content", Json(text)}}));
  };
  if (!o.system.empty()) add("system", o.system);
  add("user", o.prompt);
  return builder.Chat(messages, {.now_unix = NowUnix()});
}

// Text to stdout as it comes, and the hash of what it was drawn from.
struct Recorder {
  bool show = false;
  crypto::Sha256Stream hash;

  void Attach(engine::GenerateOptions& g) {
    g.on_logits = [this](std::span<const float> logits) {
      ByteWriter row;
      for (float l : logits) row.F32Le(l);
      hash.Update(row.bytes());
    };
    g.on_token = [this](const engine::SampledToken&, std::string_view text) {
      if (show) {
        std::fwrite(text.data(), 1, text.size(), stdout);
        std::fflush(stdout);
      }
      return true;
    };
  }
};

Json IdList(const std::vector<model::TokenId>& ids) {
  Json list = Json::MakeArray();
  for (model::TokenId id : ids) list.Push(Json(id));
  return list;
}

void PrintSpeed(const LoadedModel& m, size_t prompt_tokens, const engine::GenerateResult& r) {
  const auto rate = [](size_t n, double seconds) {
    return seconds > 0 ? static_cast<double>(n) / seconds : 0.0;
  };
  std::fprintf(stderr, "prefill %zu tokens, %.1f/s; decode %zu tokens, %.1f/s; %zu slots, %s, %s\n",
               prompt_tokens, rate(prompt_tokens, r.prefill_seconds), r.ids.size(),
               rate(r.ids.size() - 1, r.decode_seconds), m.pipeline->slots(),
               std::string(ops::IsaName(m.isa)).c_str(),
               r.finish == engine::FinishReason::kStop ? "stopped" : "length reached");
}

Status Run(const Options& o) {
  const LoadedModel m = TT_TRY(LoadModel(o.compute));
  const auto prompt_ids = TT_TRY(MakePrompt(o, m.tokenizer));
  engine::GenerateOptions g;
  g.sampler = o.sampler;
  g.limits = {o.max_tokens, o.stops, o.ignore_end};
  g.prefill_chunk = o.prefill_chunk;
  if (o.no_speculation) g.drafts.most = 0;
  Recorder recorder{!o.json, {}};
  recorder.Attach(g);
  const auto result = TT_TRY(engine::Generate(*m.pipeline, m.tokenizer, prompt_ids, g));
  if (o.json) {
    PrintJson(Json::MakeObject({{"prompt_ids", IdList(prompt_ids)},
                                {"ids", IdList(result.ids)},
                                {"text", Json(result.text)},
                                {"logits_sha256", Json(ToHex(recorder.hash.Finish()))}}));
  } else {
    std::printf("\n");
    std::fflush(stdout);
  }
  PrintSpeed(m, prompt_ids.size(), result);
  return Ok{};
}

void AddSamplerOptions(CLI::App& command, engine::SamplerSettings* s) {
  command.add_option("--temp", s->temperature, "temperature; 0: always the likeliest token")
      ->capture_default_str();
  command.add_option("--top-k", s->top_k, "keep the k likeliest tokens; 0: all")
      ->capture_default_str();
  command.add_option("--top-p", s->top_p, "keep the likeliest tokens up to this probability")
      ->capture_default_str();
  command.add_option("--min-p", s->min_p, "drop tokens below this share of the likeliest; 0: none")
      ->capture_default_str();
  command
      .add_option("--repeat-penalty", s->repetition_penalty,
                  "for ids in prompt and answer; 1: none")
      ->capture_default_str();
  command.add_option("--frequency-penalty", s->frequency_penalty, "per occurrence in the answer")
      ->capture_default_str();
  command.add_option("--presence-penalty", s->presence_penalty, "once for ids in the answer")
      ->capture_default_str();
  command.add_option("--seed", s->seed, "of the draws; the same seed gives the same answer")
      ->capture_default_str();
}

}  // namespace

void AddRunCommand(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "answer a prompt with a model in this process");
  command->footer(
      "The prompt is put into the model's chat template, if it has one, as the user's message; "
      "--raw continues it as plain\n"
      "text. The same model, prompt, settings and seed give the same answer on every machine, "
      "however it is split.\n"
      "--json prints {\"prompt_ids\",\"ids\",\"text\",\"logits_sha256\"}; the hash is over the "
      "rows of logits that tokens were\n"
      "drawn from, as little-endian f32, in order. Speed goes to standard error.");
  AddComputeOptions(*command, &o->compute);
  command->add_option("-p,--prompt", o->prompt, "what to answer or continue")->required();
  command->add_option("--system", o->system, "system message of the chat template");
  command->add_option("-n,--max-tokens", o->max_tokens, "tokens of the answer at most")
      ->capture_default_str();
  AddSamplerOptions(*command, &o->sampler);
  command->add_option("--stop", o->stops, "end the answer before this text (may be repeated)")
      ->allow_extra_args(false);
  command
      ->add_option("--prefill-chunk", o->prefill_chunk,
                   "prompt tokens computed at once (same results)")
      ->capture_default_str();
  command->add_flag("--no-speculation", o->no_speculation,
                    "do not guess tokens ahead by prompt look-up (same results)");
  command->add_flag("--raw", o->raw, "no chat template");
  command->add_flag("--ignore-eos", o->ignore_end, "go on behind end-of-text tokens");
  AddJsonFlag(*command, &o->json);
  SetAction(*command, [o] { return Run(*o); });
}

}  // namespace teetee::cli
