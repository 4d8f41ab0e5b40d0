#include "apps/teetee/bench_command.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <thread>

#include "apps/teetee/cli.h"
#include "apps/teetee/model_files.h"
#include "bench/cluster_subject.h"
#include "bench/runner.h"

namespace teetee::cli {
namespace {

constexpr size_t kMaxBatch = 1024;
constexpr size_t kMaxBatches = 64;

Status CheckTokens(const char* option, size_t tokens, size_t context) {
  if (tokens == 0) {
    return Error(Code::kInvalidArgument,
                 std::string(option) + " 0: nothing to measure; give 1 or more");
  }
  if (tokens <= context) return Ok{};
  return Error(Code::kInvalidArgument, std::string(option) + " " + std::to_string(tokens) +
                                           ": the model's context has " + std::to_string(context) +
                                           " tokens");
}

// Every probe that was made, and the mean of those with all threads.
struct Probes {
  std::unique_ptr<bench::Prober> prober;
  size_t all_threads;
  std::vector<bench::MachineLimits> made;

  bench::MachineLimits Measure(size_t threads) {
    const bench::MachineLimits now = prober->Measure(threads);
    if (threads == all_threads) made.push_back(now);
    return now;
  }
};

void ShowRound(const std::string& what, size_t round) {
  if (round == 1) {
    std::fprintf(stderr, "  %s ...\n", what.c_str());
  } else {
    std::fprintf(stderr, "  %s again, round %zu: the machine's limits moved by more than 10 %%\n",
                 what.c_str(), round);
  }
}

size_t Threads(const BenchRequest& request) {
  if (request.threads != 0) return request.threads;
  return std::max<size_t>(1, std::thread::hardware_concurrency() / request.stages);
}

BenchReport MakeReport(ops::Isa isa, size_t threads, const std::vector<bench::MachineLimits>& made,
                       const std::vector<bench::PhaseResult>& results) {
  const std::string cpu = bench::CpuName(), name(ops::IsaName(isa));
  const bench::MachineLimits limits = bench::Mean(made);
  return {bench::ToJson(cpu, name, limits, results),
          bench::ToTable(cpu, name, threads, limits, results)};
}

Result<bench::Plan> MakePlan(const BenchRequest& request) {
  if (request.stages == 0) return Error(Code::kInvalidArgument, "--stages 0: give 1 or more");
  bench::Plan plan{Threads(request),
                   request.stages,
                   request.prompt_tokens,
                   request.decode_tokens,
                   TT_TRY(ParseBatches(request.batches)),
                   request.tries};
  if (plan.threads * plan.stages > bench::Prober::kMaxThreads) {
    return Error(Code::kInvalidArgument, std::to_string(plan.threads * plan.stages) +
                                             " threads in all, allowed are " +
                                             std::to_string(bench::Prober::kMaxThreads));
  }
  if (plan.tries == 0) return Error(Code::kInvalidArgument, "--tries 0: give 1 or more");
  TT_RETURN_IF_ERROR(CheckTokens("-p", plan.prompt_tokens, SIZE_MAX));
  TT_RETURN_IF_ERROR(CheckTokens("-n", plan.decode_tokens, SIZE_MAX));
  return plan;
}

Result<BenchReport> MeasureMachine(const BenchRequest& request) {
  const ops::Isa isa = request.isa.empty() ? ops::BestIsa() : TT_TRY(ops::ParseIsa(request.isa));
  const size_t threads = TT_TRY(MakePlan(request)).threads;
  const auto prober = TT_TRY(bench::Prober::Make(isa));
  return MakeReport(isa, threads, {prober->Measure(threads)}, {});
}

// One process computes by calls, a cut model by the channels of the real thing.
Result<std::unique_ptr<bench::Subject>> MakeSubject(const model::GgufFile& file,
                                                    const bench::Plan& plan, ops::Isa isa) {
#ifdef TEETEE_SIMULATED
  if (plan.stages > 1) {
    const size_t most = *std::max_element(plan.batches.begin(), plan.batches.end());
    return std::unique_ptr<bench::Subject>(TT_TRY(bench::ClusterSubject::Start(
        file, static_cast<uint32_t>(plan.stages), plan.threads, isa, most)));
  }
#else
  if (plan.stages > 1) {
    return Error(Code::kUnimplemented, "--stages needs simulated evidence, which this build lacks");
  }
#endif
  return std::unique_ptr<bench::Subject>(
      TT_TRY(bench::LocalSubject::Load(file, plan.threads, isa)));
}

Result<BenchReport> MeasureModel(const BenchRequest& request) {
  const bench::Plan plan = TT_TRY(MakePlan(request));
  const ops::Isa isa = TT_TRY(ChooseIsa(request.isa));
  const auto file = TT_TRY(model::GgufFile::Open(request.model));
  const auto config = TT_TRY(model::ModelConfig::From(file));
  TT_RETURN_IF_ERROR(CheckTokens("-p", plan.prompt_tokens, config.context_length));
  TT_RETURN_IF_ERROR(CheckTokens("-n", plan.decode_tokens, config.context_length));
  const auto work = TT_TRY(bench::ModelWork::From(file));
  std::fprintf(stderr, "  loading %s ...\n", request.model.c_str());
  const auto subject = TT_TRY(MakeSubject(file, plan, isa));
  Probes probes{TT_TRY(bench::Prober::Make(isa)), plan.threads * plan.stages, {}};
  const auto results = TT_TRY(bench::RunPlan(
      *subject, work, plan, [&](size_t threads) { return probes.Measure(threads); }, ShowRound));
  return MakeReport(isa, probes.all_threads, probes.made, results);
}

}  // namespace

Result<std::vector<size_t>> ParseBatches(std::string_view text) {
  const auto bad = [&](const std::string& why) {
    return Error(Code::kInvalidArgument, "-b " + std::string(text) + ": " + why +
                                             "; give sizes from 1 to " + std::to_string(kMaxBatch) +
                                             " with commas between them, e.g. 1,4,8,32");
  };
  std::vector<size_t> out;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    size_t value = 0;
    const auto [next, failed] = std::from_chars(at, end, value);
    if (failed != std::errc{}) return bad("not a list of numbers");
    if (value == 0 || value > kMaxBatch) return bad(std::to_string(value) + " is out of range");
    out.push_back(value);
    if (out.size() > kMaxBatches) return bad("too many sizes");
    if (next == end) return out;
    if (*next != ',') return bad("not a list of numbers");
    at = next + 1;
  }
}

Result<BenchReport> RunBench(const BenchRequest& request) {
  if (request.machine_only) return MeasureMachine(request);
  if (request.model.empty()) {
    return Error(Code::kInvalidArgument,
                 "no model: name a GGUF file with -m, or measure the machine alone with --machine");
  }
  return MeasureModel(request);
}

void AddBenchCommand(CLI::App& app) {
  struct Options {
    BenchRequest request;
    bool json = false;
  };
  auto o = std::make_shared<Options>();
  BenchRequest& r = o->request;
  CLI::App* command =
      app.add_subcommand("bench", "speed of a model on this machine, against the machine's limits");
  command->footer(
      "Prefill is one prompt of -p tokens; decode is -n steps of each batch of sequences, tok/s of "
      "all together. Before and\n"
      "after each result the machine's read bandwidth and arithmetic peak are measured; a round in "
      "which they moved by more\n"
      "than 10 % is run again. Shares: prefill of the arithmetic peak; decode of one sequence of "
      "the read bandwidth over the\n"
      "bytes of the weights; larger batches of the lower of bandwidth and 0.7 x peak. Run it on an "
      "otherwise quiet machine.\n"
      "--json prints {\"machine\":{\"cpu\",\"isa\",\"read_gb_s\",\"int8_gops\",\"f32_gflops\"},"
      "\"results\":[{\"phase\",\"tokens\",\"batch\",\n"
      "\"stages\",\"threads\",\"tok_s\",\"share_of_limit\"}]}; a result without a quiet round has "
      "\"noisy\":true.");
  command->add_option("-m,--model", r.model, "GGUF file with weights");
  command
      ->add_option("-t,--threads", r.threads,
                   "compute threads of each stage (default: the processors, shared)")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option(
          "--stages", r.stages,
          "cut the model into so many stages, each with -t threads, that talk over attested "
          "channels on loopback")
      ->check(CLI::Range(1, 512))
      ->capture_default_str();
  command->add_option("-p,--prompt-tokens", r.prompt_tokens, "tokens of the prefill")
      ->capture_default_str();
  command->add_option("-n,--decode-tokens", r.decode_tokens, "steps of a decode")
      ->capture_default_str();
  command->add_option("-b,--batches", r.batches, "sequences that decode together, e.g. 1,4,8,32")
      ->capture_default_str();
  command->add_option("--isa", r.isa, "scalar, avx2, avx512 or amx (default: the best of the first three)");
  command->add_option("--tries", r.tries, "rounds of one result at most")->capture_default_str();
  command->add_flag("--machine", r.machine_only, "measure the machine only; needs no model");
  AddJsonFlag(*command, &o->json);
  SetAction(*command, [o]() -> Status {
    const BenchReport report = TT_TRY(RunBench(o->request));
    if (o->json) {
      PrintJson(report.json);
    } else {
      std::fputs(report.table.c_str(), stdout);
    }
    return Ok{};
  });
}

}  // namespace teetee::cli
