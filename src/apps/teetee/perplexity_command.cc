// teetee perplexity: how well a model predicts a text.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "apps/teetee/cli.h"
#include "apps/teetee/model_files.h"
#include "apps/teetee/npy_rows.h"
#include "engine/perplexity.h"

namespace teetee::cli {
namespace {

struct Options {
  ComputeOptions compute;
  std::string text_path;
  size_t ctx = 256;
  size_t chunks = 0;
  std::string logits_path;
  bool json = false;
};

engine::PerplexityOptions Settings(const Options& o, size_t n_ids, model::TokenId bos) {
  // Fixed here, so that the number of rows is known before the first.
  return {o.ctx, o.chunks != 0 || o.ctx == 0 ? o.chunks : n_ids / o.ctx, bos, {}};
}

Status Measure(const Options& o) {
  const LoadedModel m = TT_TRY(LoadModel(o.compute));
  const std::optional<model::TokenId> bos = m.tokenizer.bos();
  if (!bos) return Error(Code::kUnimplemented, "perplexity needs a vocabulary with BOS");
  const std::string text = TT_TRY(ReadText(o.text_path));
  auto ids = TT_TRY(m.tokenizer.Encode(text));
  if (ids.empty() || ids.front() != *bos) ids.insert(ids.begin(), *bos);
  auto settings = Settings(o, ids.size(), *bos);
  NpyRows rows;
  if (!o.logits_path.empty()) {
    TT_RETURN_IF_ERROR(rows.Open(o.logits_path, settings.chunks * engine::ScoredPositions(o.ctx),
                                 m.config.vocab_size));
    settings.on_logits = [&](std::span<const float> row) { return rows.Write(row); };
  }
  const auto result =
      TT_TRY(engine::Perplexity(*m.pipeline, ids, settings, [](size_t done, double ppl) {
        if (done % 10 == 0) std::fprintf(stderr, "chunk %zu: %.4f\n", done, ppl);
      }));
  TT_RETURN_IF_ERROR(rows.Close());
  if (o.json) {
    PrintJson(Json::MakeObject({{"ppl", Json(result.ppl)}, {"scored", Json(result.scored)}}));
  } else {
    std::printf("perplexity %.4f over %llu tokens\n", result.ppl,
                static_cast<unsigned long long>(result.scored));
  }
  return Ok{};
}

}  // namespace

void AddPerplexityCommand(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("perplexity", "perplexity of a model on a text");
  command->footer(
      "The text is tokenised once, with BOS, and cut into chunks of --ctx tokens; the first of "
      "each becomes BOS, and positions\n"
      "ctx/2 .. ctx-2 are scored. Lower is better; figures compare only within one vocabulary.");
  AddComputeOptions(*command, &o->compute);
  command->add_option("-f,--file", o->text_path, "text file, or - for standard input")->required();
  command->add_option("--ctx", o->ctx, "tokens of a chunk")->capture_default_str();
  command->add_option("--chunks", o->chunks, "chunks to score (default: all)");
  command->add_option(
      "--logits", o->logits_path,
      "also write the scored positions' logits there: NumPy .npy, f32, one row each");
  AddJsonFlag(*command, &o->json);
  SetAction(*command, [o] { return Measure(*o); });
}

}  // namespace teetee::cli
