// Speed of the kernels per type, instruction set, batch and threads: products, attention, activation blocks, norms.
//   bench_kernels --benchmark_filter=MatMul/Q4_K/avx2
// Counters: "macs" multiply-adds and "weights" bytes of packed weights per second; "of_peak" the share of what this machine was
// measured to do at the start (int8 or f32 operations), "of_read" the share of its read bandwidth.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "bench/probe.h"
#include "ops/attention.h"
#include "ops/norm.h"
#include "ops/packed_matrix.h"
#include "ops/testing/vectors.h"

namespace teetee::ops {
namespace {

using bench::MachineLimits;
using Rate = benchmark::Counter;

// What the machine can do at most, asked once per instruction set and number of threads.
const MachineLimits& Limits(Isa isa, size_t threads) {
  static std::map<std::pair<Isa, size_t>, MachineLimits> known;
  auto [at, is_new] = known.try_emplace({isa, threads});
  if (is_new) at->second = (*bench::Prober::Make(isa))->Measure(threads);
  return at->second;
}

PackedMatrix MakeMatrix(Isa isa, DType dtype, size_t rows, size_t k) {
  Bytes all;
  for (size_t r = 0; r < rows; ++r) {
    Bytes row = IsQuantised(dtype) ? testing::QuantisedRow(dtype, r % 7, k) : testing::FloatRow(dtype, r % 7, k);
    all.insert(all.end(), row.begin(), row.end());
  }
  return *PackedMatrix::Pack(isa, dtype, rows, k, all);
}

bool HasNibbles(DType dtype) {
  return dtype == DType::kQ4_0 || dtype == DType::kQ4_1 || dtype == DType::kQ4_K || dtype == DType::kQ2_K || dtype == DType::kQ3_K;
}

void CountMatMul(benchmark::State& state, DType dtype, Isa isa, size_t threads, double macs, double bytes) {
  const double runs = static_cast<double>(state.iterations());
  const MachineLimits& limits = Limits(isa, threads);
  const double peak = !IsQuantised(dtype) ? limits.f32_gflops : HasNibbles(dtype) ? limits.int4_gops : limits.int8_gops;
  state.counters["macs"] = Rate(runs * macs, Rate::kIsRate);
  state.counters["weights"] = Rate(runs * bytes, Rate::kIsRate);
  state.counters["of_peak"] = Rate(runs * macs * 2e-9 / peak, Rate::kIsRate);
  state.counters["of_read"] = Rate(runs * bytes * 1e-9 / limits.read_gb_s, Rate::kIsRate);
}

// Several matrices in turn: with one row 512 MiB together, so that a decode step reads memory as it would in a model.
void BenchMatMul(benchmark::State& state, DType dtype, Isa isa, size_t n, size_t threads) {
  const size_t rows = 2048, k = 2048;
  const PackedMatrix first = MakeMatrix(isa, dtype, rows, k);
  const size_t count = n == 1 ? std::max<size_t>(1, (size_t{512} << 20) / first.bytes()) : 1;
  std::vector<PackedMatrix> matrices;
  for (size_t i = 0; i < count; ++i) {
    matrices.push_back(*PackedMatrix::Empty(isa, dtype, rows, k));
    std::memcpy(const_cast<uint8_t*>(matrices.back().data()), first.data(), first.bytes());
  }
  const std::vector<float> x = testing::WideVector(2, n * k);
  std::vector<float> y(n * rows);
  Activations a;
  if (!a.Set(isa, x.data(), n, k, IsQuantised(dtype))) return state.SkipWithError("activations");
  ThreadPool pool(threads);
  size_t i = 0;
  for (auto _ : state) {
    MatMul(matrices[i++ % count], a, n, y.data(), pool);
    benchmark::DoNotOptimize(y.data());
  }
  CountMatMul(state, dtype, isa, threads, static_cast<double>(rows * k * n), static_cast<double>(first.bytes()));
}

// Decode beside a thread that never sleeps, as when a neighbour takes a core. Compare with MatMul/Q8_0/../n1/t2.
void BenchTakenCore(benchmark::State& state, Isa isa) {
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop.load(std::memory_order_relaxed)) benchmark::ClobberMemory();
  });
  BenchMatMul(state, DType::kQ8_0, isa, 1, 2);
  stop.store(true);
  busy.join();
}

// The heads of TinyLlama: 32 queries over 4 KV heads of 64.
void BenchAttention(benchmark::State& state, Isa isa, size_t positions, size_t n, size_t threads) {
  const size_t n_kv_heads = 4, n_heads = 32, head_dim = 64;
  KvCacheLayer cache = *KvCacheLayer::Make(positions, n_kv_heads, head_dim);
  const std::vector<float> kv = testing::FlVector(3, positions * n_kv_heads * head_dim);
  if (!cache.Append(kv.data(), kv.data(), positions)) return state.SkipWithError("append");
  const std::vector<float> q = testing::FlVector(4, n * n_heads * head_dim);
  std::vector<float> out(q.size());
  ThreadPool pool(threads);
  for (auto _ : state) {
    Status status = cache.Attention(isa, q.data(), n_heads, positions - n, n, {}, pool, out.data());
    if (!status) return state.SkipWithError("attention");
    benchmark::DoNotOptimize(out.data());
  }
  const double seen = static_cast<double>(n) * (static_cast<double>(positions) - (static_cast<double>(n) - 1) / 2);
  const double flops = 4.0 * static_cast<double>(n_heads * head_dim) * seen * static_cast<double>(state.iterations());
  state.counters["flops"] = Rate(flops, Rate::kIsRate);
  state.counters["of_peak"] = Rate(flops * 1e-9 / Limits(isa, threads).f32_gflops, Rate::kIsRate);
}

void BenchRows(benchmark::State& state, Isa isa, bool norm) {
  const size_t n = 2048;
  const std::vector<float> x = testing::FlVector(5, n), w = testing::FlVector(6, n);
  std::vector<float> y(n);
  Activations a;
  if (!a.Reshape(isa, 1, n, true, false)) return state.SkipWithError("reshape");
  for (auto _ : state) {
    const bool good = norm ? RmsNorm(isa, x.data(), w.data(), 1, n, 1e-5f, y.data()).has_value() : a.SetRow(0, x.data());
    if (!good) return state.SkipWithError("not finite");
    benchmark::DoNotOptimize(y.data());
  }
  state.counters["values"] = Rate(static_cast<double>(state.iterations() * static_cast<int64_t>(n)), Rate::kIsRate);
}

template <class... Args>
void Register(const std::string& name, Args... args) {
  benchmark::RegisterBenchmark(name.c_str(), args...)->UseRealTime();
}

void RegisterFor(Isa isa) {
  const std::string suffix = "/" + std::string(IsaName(isa));
  for (DType dtype : {DType::kQ8_0, DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K,
                      DType::kQ3_K, DType::kQ2_K, DType::kIQ4_XS, DType::kMXFP4, DType::kF16, DType::kBF16, DType::kF32}) {
    for (size_t n : {1, 4, 8, 32, 512}) {
      for (size_t threads : {1, 2}) {
        if (isa == Isa::kScalar && (n > 1 || threads > 1)) continue;
        Register("MatMul/" + std::string(DTypeName(dtype)) + suffix + "/n" + std::to_string(n) + "/t" + std::to_string(threads),
                 BenchMatMul, dtype, isa, n, threads);
      }
    }
  }
  Register("RmsNorm" + suffix, BenchRows, isa, true);
  Register("Quantise" + suffix, BenchRows, isa, false);
  if (isa == Isa::kScalar) return;
  Register("TakenCore" + suffix, BenchTakenCore, isa);
  for (size_t positions : {512, 2048}) {
    for (size_t threads : {1, 2}) {
      const std::string tail = "/p" + std::to_string(positions) + "/t" + std::to_string(threads);
      Register("AttentionPrefill" + suffix + tail, BenchAttention, isa, positions, positions, threads);
      Register("AttentionDecode" + suffix + tail, BenchAttention, isa, positions, size_t{1}, threads);
    }
  }
}

}  // namespace
}  // namespace teetee::ops

int main(int argc, char** argv) {
  using teetee::ops::Isa;
  benchmark::Initialize(&argc, argv);
  for (Isa isa : teetee::ops::kAllIsas) {
    if (teetee::ops::IsaSupported(isa)) teetee::ops::RegisterFor(isa);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
