#include "bench/runner.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace teetee::bench {
namespace {

struct Round {
  PhaseResult result;
  double drift;
};

class PlanRunner {
 public:
  PlanRunner(Subject& subject, const ModelWork& work, const Plan& plan, const Probe& probe,
             const RoundProgress& progress)
      : subject_(subject), work_(work), plan_(plan), probe_(probe), progress_(progress) {}

  Status WarmUp() {
    if (progress_) progress_("warm-up", 1);
    TT_TRY(subject_.Prefill(std::min<size_t>(plan_.prompt_tokens, 32)));
    TT_TRY(subject_.Decode(1, std::min<size_t>(plan_.decode_tokens, 4)));
    return Ok{};
  }

  Result<PhaseResult> Measure(Phase phase, size_t batch) {
    Round best = TT_TRY(RunRound(phase, batch, 1));
    for (size_t round = 2; best.drift > kNoise && round <= plan_.tries; ++round) {
      Round next = TT_TRY(RunRound(phase, batch, round));
      if (next.drift < best.drift) best = next;
    }
    best.result.noisy = best.drift > kNoise;
    return best.result;
  }

 private:
  Result<Round> RunRound(Phase phase, size_t batch, size_t round) {
    if (progress_) progress_(PhaseName(phase, batch), round);
    const size_t threads = BusyThreads(phase, batch);
    const MachineLimits before = probe_(threads);
    const Timing timing =
        TT_TRY(phase == Phase::kPrefill ? subject_.Prefill(plan_.prompt_tokens)
                                        : subject_.Decode(batch, plan_.decode_tokens));
    const MachineLimits after = probe_(threads);
    return Round{Rate(phase, batch, timing, Mean(std::array{before, after})),
                 Drift(work_, phase, batch, before, after)};
  }

  size_t BusyThreads(Phase phase, size_t batch) const {
    const bool alone = phase == Phase::kDecode && batch == 1;
    return alone ? plan_.threads : plan_.threads * plan_.stages;
  }

  PhaseResult Rate(Phase phase, size_t batch, const Timing& timing,
                   const MachineLimits& limits) const {
    const bool prefill = phase == Phase::kPrefill;
    const size_t tokens = prefill ? plan_.prompt_tokens : plan_.decode_tokens;
    const double limit = prefill ? PrefillLimit(work_, tokens, limits)
                                 : DecodeLimit(work_, batch, timing.passes, limits);
    const double tok_s = static_cast<double>(tokens * batch) / timing.seconds;
    return {phase, tokens, batch, plan_.stages, plan_.threads, tok_s, tok_s / limit, false};
  }

  Subject& subject_;
  const ModelWork& work_;
  const Plan& plan_;
  const Probe& probe_;
  const RoundProgress& progress_;
};

}  // namespace

std::string PhaseName(Phase phase, size_t batch) {
  return phase == Phase::kPrefill ? "prefill" : "decode of " + std::to_string(batch);
}

Result<std::vector<PhaseResult>> RunPlan(Subject& subject, const ModelWork& work, const Plan& plan,
                                         const Probe& probe, const RoundProgress& progress) {
  TT_CHECK(plan.prompt_tokens > 0 && plan.decode_tokens > 0 && plan.tries > 0);
  PlanRunner runner(subject, work, plan, probe, progress);
  TT_RETURN_IF_ERROR(runner.WarmUp());
  std::vector<PhaseResult> results;
  results.push_back(TT_TRY(runner.Measure(Phase::kPrefill, 1)));
  for (size_t batch : plan.batches) {
    TT_CHECK(batch > 0);
    results.push_back(TT_TRY(runner.Measure(Phase::kDecode, batch)));
  }
  return results;
}

}  // namespace teetee::bench
