#include "apps/teetee/model_files.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <thread>
#include <utility>

#include "apps/teetee/cli.h"
#include "base/file.h"

namespace teetee::cli {
namespace {

Status RefuseWithoutWeights(const model::GgufFile& file, const std::string& path) {
  if (!file.tensors().empty()) return Ok{};
  return Error(
      Code::kUnimplemented,
      path + " holds a vocabulary and no weights; it can be used by `teetee tokenize` only");
}

Result<std::string> ReadStdin(size_t max_bytes) {
  std::string text;
  char buffer[1 << 16];
  while (const size_t n = std::fread(buffer, 1, sizeof buffer, stdin)) {
    text.append(buffer, n);
    if (text.size() > max_bytes) {
      return Error(Code::kResourceExhausted,
                   "the text is longer than " + std::to_string(max_bytes) + " bytes");
    }
  }
  if (std::ferror(stdin)) return Error(Code::kUnavailable, "standard input cannot be read");
  return text;
}

}  // namespace

Result<ops::Isa> ChooseIsa(const std::string& name) {
  if (name.empty()) {
    const ops::Isa best = ops::BestIsa();
    if (best == ops::Isa::kScalar) {
      PrintNote(
          "this machine has no AVX2; the portable kernels run, which are much slower (same "
          "results)");
    }
    return best;
  }
  auto isa = ops::ParseIsa(name);
  const bool is_optional = name == "avx512" || name == "amx";
  if (isa || !is_optional || isa.error().code() != Code::kFailedPrecondition) return isa;
  const ops::Isa best = ops::BestIsa();
  PrintNote("this machine has no " + std::string(name == "amx" ? "AMX" : "AVX-512") + "; the " + std::string(ops::IsaName(best)) + " kernels run (same results)");
  return best;
}

void AddComputeOptions(CLI::App& command, ComputeOptions* o) {
  command.add_option("-m,--model", o->model, "GGUF file with weights")->required();
  command.add_option("--isa", o->isa,
                     "scalar, avx2, avx512 or amx (default: the best of the first three; the results are the same)");
  command
      .add_option("--threads", o->threads,
                  "compute threads (default: one per processor; the results are the same)")
      ->check(CLI::Range(0, 1024));
  auto* slots =
      command
          .add_option("--slots", o->slots, "split the model into so many shards in this process")
          ->check(CLI::Range(1, 512));
  command.add_option("--cut", o->cuts, "split before these blocks, e.g. 12,20")
      ->delimiter(',')
      ->excludes(slots);
}

Result<LoadedModel> LoadModel(const ComputeOptions& o) {
  const ops::Isa isa = TT_TRY(ChooseIsa(o.isa));
  const model::GgufFile file = TT_TRY(model::GgufFile::Open(o.model));
  TT_RETURN_IF_ERROR(RefuseWithoutWeights(file, o.model));
  model::ModelConfig config = TT_TRY(model::ModelConfig::From(file));
  model::Tokenizer tokenizer = TT_TRY(model::Tokenizer::From(file.metadata()));
  if (tokenizer.size() > config.vocab_size) {
    return Error(Code::kInvalidArgument, "the tokenizer has " + std::to_string(tokenizer.size()) +
                                             " tokens, the model " +
                                             std::to_string(config.vocab_size));
  }
  auto ranges = o.cuts.empty() ? engine::CutEvenly(config.n_layers, o.slots)
                               : engine::CutAt(config.n_layers, o.cuts);
  if (!ranges) return std::move(ranges).error();
  const size_t threads =
      o.threads != 0 ? o.threads : std::max(1u, std::thread::hardware_concurrency());
  auto pipeline = TT_TRY(engine::LocalPipeline::Load(file, config, *ranges, isa, threads));
  return LoadedModel{std::move(config), std::move(tokenizer), std::move(pipeline), isa};
}

Result<std::string> ReadText(const std::string& path) {
  if (path == "-") return ReadStdin(model::Tokenizer::kMaxTextBytes);
  const Bytes bytes = TT_TRY(ReadFile(path, model::Tokenizer::kMaxTextBytes));
  return std::string(AsText(bytes));
}

}  // namespace teetee::cli
