// Speed of the products and of attention, per type, instruction set, batch and threads.
//   bench_kernels --benchmark_filter=MatMul/Q4_1
// The counter "macs" is multiply-adds per second, "weights" bytes of packed weights read per second.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "ops/attention.h"
#include "ops/packed_matrix.h"
#include "ops/testing/vectors.h"

namespace teetee::ops {
namespace {

PackedMatrix MakeMatrix(Isa isa, DType dtype, size_t rows, size_t k) {
  Bytes row = IsQuantised(dtype) ? testing::QuantisedRow(dtype, 1, k)
                                 : testing::FloatRow(dtype, 1, k);
  Bytes all;
  for (size_t r = 0; r < rows; ++r) all.insert(all.end(), row.begin(), row.end());
  return *PackedMatrix::Pack(isa, dtype, rows, k, all);
}

// Several matrices in turn, 64 MiB together, so that a decode step reads memory as it would in a model.
void BenchMatMul(benchmark::State& state, DType dtype, Isa isa, size_t n, size_t threads) {
  const size_t rows = 1536, k = 1536;
  std::vector<PackedMatrix> matrices;
  size_t bytes = 0;
  while (bytes < (n == 1 ? 64u << 20 : 1u << 20)) {
    matrices.push_back(MakeMatrix(isa, dtype, rows, k));
    bytes += matrices.back().bytes();
  }
  std::vector<float> x = testing::WideVector(2, n * k), y(n * rows);
  Activations a;
  if (!a.Set(isa, x.data(), n, k, IsQuantised(dtype))) return state.SkipWithError("activations");
  ThreadPool pool(threads);
  size_t i = 0;
  for (auto _ : state) {
    MatMul(matrices[i++ % matrices.size()], a, n, y.data(), pool);
    benchmark::DoNotOptimize(y.data());
  }
  const double runs = static_cast<double>(state.iterations());
  state.counters["macs"] = benchmark::Counter(runs * static_cast<double>(rows * k * n),
                                              benchmark::Counter::kIsRate);
  state.counters["weights"] = benchmark::Counter(
      runs * static_cast<double>(matrices[0].bytes()), benchmark::Counter::kIsRate);
}

void BenchAttention(benchmark::State& state, Isa isa, size_t positions, size_t n) {
  const size_t n_kv_heads = 3, n_heads = 9, head_dim = 64;
  KvCacheLayer cache = *KvCacheLayer::Make(positions, n_kv_heads, head_dim);
  std::vector<float> kv = testing::FlVector(3, positions * n_kv_heads * head_dim);
  if (!cache.Append(kv.data(), kv.data(), positions)) return state.SkipWithError("append");
  std::vector<float> q = testing::FlVector(4, n * n_heads * head_dim), out(q.size());
  ThreadPool pool(1);
  for (auto _ : state) {
    Status status = cache.Attention(isa, q.data(), n_heads, positions - n, n, {}, pool, out.data());
    if (!status) return state.SkipWithError("attention");
    benchmark::DoNotOptimize(out.data());
  }
}

void Register() {
  for (DType dtype : {DType::kQ4_1, DType::kQ4_0, DType::kQ8_0, DType::kQ4_K, DType::kQ5_K,
                      DType::kQ6_K, DType::kQ3_K, DType::kQ2_K, DType::kIQ4_XS, DType::kMXFP4,
                      DType::kF16, DType::kF32}) {
    for (Isa isa : {Isa::kScalar, Isa::kAvx2}) {
      if (!IsaSupported(isa)) continue;
      for (size_t n : {1, 4, 64}) {
        for (size_t threads : {1, 2}) {
          if (isa == Isa::kScalar && (n > 1 || threads > 1)) continue;
          std::string name = "MatMul/" + std::string(DTypeName(dtype)) + "/" +
                             std::string(IsaName(isa)) + "/n" + std::to_string(n) + "/t" +
                             std::to_string(threads);
          benchmark::RegisterBenchmark(name.c_str(), BenchMatMul, dtype, isa, n, threads)
              ->UseRealTime();
        }
      }
    }
  }
  for (size_t n : {1, 64}) {
    for (size_t positions : {64, 1024}) {
      std::string name = "Attention/9x64/p" + std::to_string(positions) + "/n" + std::to_string(n);
      benchmark::RegisterBenchmark(name.c_str(), BenchAttention, BestIsa(), positions, n)
          ->UseRealTime();
    }
  }
}

}  // namespace
}  // namespace teetee::ops

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  teetee::ops::Register();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
