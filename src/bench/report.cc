// The two forms of a result: JSON for programs, a table for people.
#include <cmath>
#include <cstdio>

#include "bench/runner.h"

namespace teetee::bench {
namespace {

// Digits beyond these are noise.
double Round(double value, double steps_per_unit) {
  return std::round(value * steps_per_unit) / steps_per_unit;
}

Json ResultJson(const PhaseResult& r) {
  Json out = Json::MakeObject({{"phase", Json(r.phase == Phase::kPrefill ? "prefill" : "decode")},
                               {"tokens", Json(uint64_t{r.tokens})},
                               {"batch", Json(uint64_t{r.batch})},
                               {"stages", Json(uint64_t{r.stages})},
                               {"threads", Json(uint64_t{r.threads})},
                               {"tok_s", Json(Round(r.tok_s, 100))},
                               {"share_of_limit", Json(Round(r.share_of_limit, 10000))}});
  if (r.noisy) out.Set("noisy", Json(true));
  return out;
}

const char* LimitName(const PhaseResult& r) {
  if (r.phase == Phase::kPrefill) return "arithmetic peak";
  return r.batch == 1 ? "read bandwidth" : "min(bandwidth, 0.7 x peak)";
}

std::string Line(const PhaseResult& r) {
  char line[160];
  std::snprintf(line, sizeof line, "%-8s %7zu %6zu %7zu %8zu %11.2f %7.1f %%  %s%s\n",
                r.phase == Phase::kPrefill ? "prefill" : "decode", r.tokens, r.batch, r.stages,
                r.threads, r.tok_s, 100 * r.share_of_limit, LimitName(r),
                r.noisy ? "  (noisy)" : "");
  return line;
}

}  // namespace

Json ToJson(const std::string& cpu, const std::string& isa, const MachineLimits& limits,
            const std::vector<PhaseResult>& results) {
  Json list = Json::MakeArray();
  for (const PhaseResult& r : results) list.Push(ResultJson(r));
  return Json::MakeObject(
      {{"machine", Json::MakeObject({{"cpu", Json(cpu)},
                                     {"isa", Json(isa)},
                                     {"read_gb_s", Json(Round(limits.read_gb_s, 100))},
                                     {"int8_gops", Json(Round(limits.int8_gops, 10))},
                                     {"f32_gflops", Json(Round(limits.f32_gflops, 10))}})},
       {"results", std::move(list)}});
}

std::string ToTable(const std::string& cpu, const std::string& isa, size_t threads,
                    const MachineLimits& limits, const std::vector<PhaseResult>& results) {
  char text[512];
  std::snprintf(text, sizeof text,
                "%s, %s, %zu threads: read %.1f GB/s, int8 %.0f GOPS (%.0f with 4-bit operands), "
                "f32 %.0f GFLOPS\n",
                cpu.c_str(), isa.c_str(), threads, limits.read_gb_s, limits.int8_gops,
                limits.int4_gops, limits.f32_gflops);
  std::string out = text;
  if (results.empty()) return out;
  out += "phase     tokens  batch  stages  threads       tok/s      share  of\n";
  bool noisy = false;
  for (const PhaseResult& r : results) {
    out += Line(r);
    noisy |= r.noisy;
  }
  if (noisy) out += "noisy: the machine's limits moved by more than 10 % in every round\n";
  return out;
}

}  // namespace teetee::bench
