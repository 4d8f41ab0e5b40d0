// Runs the phases of a plan, each between two probes of the machine; a round whose probes disagree
// is run again.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "bench/limits.h"
#include "bench/subject.h"

namespace teetee::bench {

inline constexpr double kNoise = 0.10;  // a larger drift of the limits makes a round noisy

struct Plan {
  size_t threads = 1;  // of each stage
  size_t stages = 1;
  size_t prompt_tokens = 512;
  size_t decode_tokens = 128;
  std::vector<size_t> batches = {1, 8};
  size_t tries = 5;  // rounds of one result at most, at least 1
};

struct PhaseResult {
  Phase phase;
  size_t tokens;  // prefill: of the prompt; decode: of each sequence
  size_t batch;
  size_t stages;
  size_t threads;
  double tok_s;           // of all sequences together
  double share_of_limit;  // of PrefillLimit or DecodeLimit by the mean of the two probes
  bool noisy;             // the probes differed by more than kNoise in every round
};

// "decode of 8"
std::string PhaseName(Phase phase, size_t batch);

// Measures the limits of so many threads.
using Probe = std::function<MachineLimits(size_t threads)>;

// Called when a round begins; `round` counts from 1.
using RoundProgress = std::function<void(const std::string& what, size_t round)>;

// Prefill, then decode of each batch, after a short warm-up. The probe runs as many threads as can
// be at work together: those of one stage for a single sequence, else those of all. A round is kept
// when its probes agree; if none does, the one that drifted least. Errors of the subject pass on.
// REQUIRES: every number of the plan is at least 1.
Result<std::vector<PhaseResult>> RunPlan(Subject& subject, const ModelWork& work, const Plan& plan,
                                         const Probe& probe, const RoundProgress& progress = {});

// {"machine":{"cpu","isa","read_gb_s","int8_gops","f32_gflops"},"results":[{"phase","tokens",
// "batch","stages","threads","tok_s","share_of_limit"}]}; a noisy result has "noisy":true too.
Json ToJson(const std::string& cpu, const std::string& isa, const MachineLimits& limits,
            const std::vector<PhaseResult>& results);
// The same for a person, in lines.
std::string ToTable(const std::string& cpu, const std::string& isa, size_t threads,
                    const MachineLimits& limits, const std::vector<PhaseResult>& results);

}  // namespace teetee::bench
