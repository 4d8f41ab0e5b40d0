// Opening models and texts named on the command line, for the commands that compute.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/local_pipeline.h"
#include "model/tokenizer.h"

namespace CLI {
class App;
}

namespace teetee::cli {

// Options that each computing command has.
struct ComputeOptions {
  std::string model;
  std::string isa;     // empty: the fastest
  size_t threads = 0;  // 0: the machine's
  size_t slots = 1;
  std::vector<size_t> cuts;  // overrides slots
};
void AddComputeOptions(CLI::App& command, ComputeOptions* options);

// The instruction set of that name, the fastest for an empty one; says on stderr what its name does
// not. kInvalidArgument, kFailedPrecondition: as ops::ParseIsa.
Result<ops::Isa> ChooseIsa(const std::string& name);

// A model ready to run, in one process.
struct LoadedModel {
  model::ModelConfig config;
  model::Tokenizer tokenizer;
  std::unique_ptr<engine::LocalPipeline> pipeline;
  ops::Isa isa;
};
// Says on stderr when the kernels that run are not what the instruction set's name says, and when
// only the portable ones can. kUnimplemented: a vocabulary-only file, or an architecture that we do
// not compute.
Result<LoadedModel> LoadModel(const ComputeOptions& options);

// The whole file (or stdin for "-") as text; kResourceExhausted beyond the tokenizer's bound.
Result<std::string> ReadText(const std::string& path);

}  // namespace teetee::cli
