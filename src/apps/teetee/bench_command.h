// teetee bench: speed of a model on this machine, and the share of the machine's limits.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace teetee::cli {

struct BenchRequest {
  std::string model;   // GGUF file; empty with machine_only
  std::string isa;     // empty: the fastest
  size_t threads = 0;  // of each stage; 0: the processors, shared among the stages
  size_t stages = 1;   // more than one: over attested channels on loopback
  size_t prompt_tokens = 512;
  size_t decode_tokens = 128;
  std::string batches = "1,8";
  size_t tries = 5;
  bool machine_only = false;
};

struct BenchReport {
  Json json;
  std::string table;
};

// kInvalidArgument: no model, a list or number out of range, more tokens than the model's context.
// Progress goes to stderr.
Result<BenchReport> RunBench(const BenchRequest& request);

// "1,4,8" as numbers from 1 to 1024, at most 64 of them; kInvalidArgument for anything else.
Result<std::vector<size_t>> ParseBatches(std::string_view text);

}  // namespace teetee::cli
