// Types, instruction sets, threads and the floating-point state.
#include <atomic>
#include <limits>
#include <thread>

#include <gtest/gtest.h>

#include "ops/dtype.h"
#include "ops/fp_env.h"
#include "ops/isa.h"
#include "ops/thread_pool.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace teetee::ops {
namespace {

TEST(DType, RefusesWhatItDoesNotKnow) {
  for (uint32_t id : {4u, 5u, 9u, 15u, 16u, 24u, 31u, 40u, 0xffffffffu}) {
    auto dtype = DTypeFromGguf(id);
    ASSERT_FALSE(dtype.has_value()) << id;
    EXPECT_EQ(dtype.error().code(), Code::kUnimplemented);
  }
  EXPECT_FALSE(ParseDType("q4_k").has_value());
  EXPECT_FALSE(RowBytes(DType::kQ4_K, 0).has_value());
  EXPECT_FALSE(RowBytes(DType::kQ4_K, 128).has_value());
  EXPECT_FALSE(RowBytes(DType::kF32, std::numeric_limits<size_t>::max()).has_value());
  EXPECT_FALSE(TensorBytes(DType::kF16, size_t{1} << 33, size_t{1} << 33).has_value());
}

TEST(DType, SizesAreGgufs) {
  EXPECT_EQ(*RowBytes(DType::kQ4_1, 576), 360u);
  EXPECT_EQ(*RowBytes(DType::kQ6_K, 512), 420u);
  EXPECT_EQ(*TensorBytes(DType::kBF16, 3, 5), 30u);
  EXPECT_EQ(*DTypeFromGguf(39), DType::kMXFP4);
  EXPECT_EQ(*ParseDType(DTypeName(DType::kIQ4_XS)), DType::kIQ4_XS);
}

TEST(IsaTest, NamesAndSupport) {
  EXPECT_TRUE(IsaSupported(Isa::kScalar));
  EXPECT_TRUE(IsaSupported(BestIsa()));
  EXPECT_EQ(*ParseIsa("scalar"), Isa::kScalar);
  EXPECT_FALSE(ParseIsa("sse2").has_value());
  EXPECT_EQ(ParseIsa("avx512").has_value(), IsaSupported(Isa::kAvx512));
  EXPECT_EQ(ParseIsa("amx").has_value(), IsaSupported(Isa::kAmx));
}

TEST(ThreadPool, EveryTaskRunsOnceWhateverTheThreads) {
  for (size_t threads : {0, 1, 2, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads == 0 ? 1 : threads);
    for (size_t tasks : {0, 1, 2, 3, 100, 1000}) {
      for (int repeat = 0; repeat < 50; ++repeat) {
        std::vector<std::atomic<int>> runs(tasks);
        pool.ParallelFor(tasks, [&](size_t i) { runs[i].fetch_add(1); });
        for (auto& r : runs) ASSERT_EQ(r.load(), 1);
      }
    }
  }
}

TEST(ThreadPool, TwoCallersTakeTurns) {
  ThreadPool pool(3);
  std::atomic<size_t> sum{0};
  auto caller = [&] {
    for (int i = 0; i < 300; ++i) {
      pool.ParallelFor(7, [&](size_t task) { sum.fetch_add(task); });
    }
  };
  std::thread other(caller);
  caller();
  other.join();
  EXPECT_EQ(sum.load(), 2u * 300 * 21);
}

TEST(ThreadPool, SleepingWorkersWakeUp) {
  ThreadPool pool(2);
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::atomic<int> count{0};
    pool.ParallelFor(50, [&](size_t) { count.fetch_add(1); });
    EXPECT_EQ(count.load(), 50);
  }
}

#if defined(__x86_64__)
// What a foreign library linked with -ffast-math does to a thread: flush to zero, denormals are zero, round up.
void Spoil() { _mm_setcsr(0x1F80 | 0x8040 | 0x4000); }

TEST(FpState, EveryTaskSeesTheDefaultAndTheCallerGetsItsOwnBack) {
  ThreadPool pool(3);
  const uint32_t mine = _mm_getcsr();
  for (int round = 0; round < 20; ++round) {
    Spoil();
    const uint32_t spoilt = _mm_getcsr();
    EXPECT_FALSE(FpStateIsDefault());
    std::atomic<int> wrong{0};
    pool.ParallelFor(64, [&](size_t) {
      if (!FpStateIsDefault()) wrong.fetch_add(1);
    });
    const uint32_t after = _mm_getcsr();
    _mm_setcsr(mine);
    EXPECT_EQ(wrong.load(), 0);
    EXPECT_EQ(after, spoilt);
  }
}

TEST(FpState, AWorkerThatAForeignLibrarySpoiltIsCleanForTheNextJob) {
  ThreadPool pool(4);
  for (int round = 0; round < 50; ++round) {
    pool.ParallelFor(16, [&](size_t) { Spoil(); });
    std::atomic<int> wrong{0};
    pool.ParallelFor(16, [&](size_t) {
      if (!FpStateIsDefault()) wrong.fetch_add(1);
    });
    EXPECT_EQ(wrong.load(), 0);
  }
  EXPECT_TRUE(FpStateIsDefault());
}
#endif

TEST(FpState, ScopeRestores) {
  ASSERT_TRUE(FpStateIsDefault());
  {
    ScopedFpState fp;
    EXPECT_TRUE(FpStateIsDefault());
  }
  EXPECT_TRUE(FpStateIsDefault());
}

}  // namespace
}  // namespace teetee::ops
