// teetee tokenize: text on standard input to token ids.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "apps/teetee/cli.h"
#include "apps/teetee/model_files.h"
#include "model/gguf.h"
#include "model/tokenizer.h"

namespace teetee::cli {
namespace {

struct Options {
  std::string model;
  bool json = false;
};

Status Tokenize(const Options& o) {
  const model::GgufFile file = TT_TRY(model::GgufFile::Open(o.model));
  const model::Tokenizer tokenizer = TT_TRY(model::Tokenizer::From(file.metadata()));
  const std::string text = TT_TRY(ReadText("-"));
  const auto ids = TT_TRY(tokenizer.Encode(text));
  if (o.json) {
    Json list = Json::MakeArray();
    for (model::TokenId id : ids) list.Push(Json(id));
    PrintJson(list);
    return Ok{};
  }
  std::string line;
  for (model::TokenId id : ids) line += (line.empty() ? "" : " ") + std::to_string(id);
  std::printf("%s\n", line.c_str());
  return Ok{};
}

}  // namespace

void AddTokenizeCommand(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("tokenize", "token ids of the text on standard input");
  command->footer(
      "The text is taken verbatim and may be empty. BOS and EOS are added where the file's "
      "metadata says so; control tokens\n"
      "written out in the text stay text. Any GGUF file with a vocabulary will do, whatever its "
      "architecture.");
  command->add_option("-m,--model", o->model, "GGUF file with a vocabulary")->required();
  AddJsonFlag(*command, &o->json);
  SetAction(*command, [o] { return Tokenize(*o); });
}

}  // namespace teetee::cli
