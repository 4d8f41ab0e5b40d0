#include "bench/probe.h"

#include <sys/mman.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstring>
#include <fstream>
#include <functional>
#include <thread>
#include <vector>

#include "base/check.h"
#include "bench/probe_kernels.h"

namespace teetee::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kChunkBytes = size_t{256} << 10;  // of the interleaved layout
constexpr auto kOpsTime = std::chrono::milliseconds(20);
constexpr int kTries = 3;  // of each probe; the best counts

struct Span {
  Clock::time_point begin, end;
};

// Runs body(thread) on `threads` threads that start together. Nanoseconds from the first start to
// the last end, as the threads saw them.
double TimeTogether(size_t threads, const std::function<void(size_t)>& body) {
  std::vector<Span> spans(threads);
  std::barrier start(static_cast<std::ptrdiff_t>(threads));
  std::vector<std::thread> workers;
  for (size_t t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      start.arrive_and_wait();
      spans[t].begin = Clock::now();
      body(t);
      spans[t].end = Clock::now();
    });
  }
  for (std::thread& worker : workers) worker.join();
  const auto earlier = [](const Span& a, const Span& b) { return a.begin < b.begin; };
  const auto ends = [](const Span& a, const Span& b) { return a.end < b.end; };
  const auto begin = std::min_element(spans.begin(), spans.end(), earlier)->begin;
  const auto end = std::max_element(spans.begin(), spans.end(), ends)->end;
  return std::max(1.0, std::chrono::duration<double, std::nano>(end - begin).count());
}

// Results of kernels end here, so that no call can be left out.
void Keep(uint64_t value) { asm volatile("" : : "r"(value) : "memory"); }

struct Walk {
  bool interleaved;  // threads take chunks in turn, as tiles are handed out; else one part each
  ReadPattern pattern;
};
constexpr Walk kWalks[] = {
    {false, {1, 0}}, {false, {1, 1024}}, {false, {4, 0}}, {false, {4, 1024}}, {true, {1, 2048}}};

void ReadPart(const ProbeKernels& kernels, const Walk& walk, const uint8_t* data, size_t bytes,
              size_t thread, size_t threads) {
  if (!walk.interleaved) {
    const size_t part = bytes / threads / kReadGrain * kReadGrain;
    return Keep(kernels.read(data + thread * part, part, walk.pattern));
  }
  for (size_t at = thread * kChunkBytes; at < bytes; at += threads * kChunkBytes) {
    Keep(kernels.read(data + at, kChunkBytes, walk.pattern));
  }
}

size_t BytesRead(const Walk& walk, size_t bytes, size_t threads) {
  return walk.interleaved ? bytes : bytes / threads / kReadGrain * kReadGrain * threads;
}

double OpsPerNs(uint64_t (*kernel)(size_t), size_t ops_per_round, size_t threads) {
  constexpr size_t kRoundsPerLook = 256;
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    std::vector<size_t> rounds(threads);
    const double ns = TimeTogether(threads, [&](size_t t) {
      const auto until = Clock::now() + kOpsTime;
      size_t done = 0;
      for (; Clock::now() < until; done += kRoundsPerLook) Keep(kernel(kRoundsPerLook));
      rounds[t] = done;
    });
    size_t all = 0;
    for (size_t r : rounds) all += r;
    best = std::max(best, static_cast<double>(all * ops_per_round) / ns);
  }
  return best;
}

}  // namespace

Prober::Prober(ops::Isa isa, size_t buffer_bytes)
    : isa_(isa), bytes_(buffer_bytes / kChunkBytes * kChunkBytes) {}

Prober::~Prober() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

Result<std::unique_ptr<Prober>> Prober::Make(ops::Isa isa, size_t buffer_bytes) {
  if (!ops::IsaSupported(isa)) {
    return Error(Code::kFailedPrecondition,
                 "this machine does not support " + std::string(ops::IsaName(isa)));
  }
  std::unique_ptr<Prober> prober(new Prober(isa, buffer_bytes));
  const size_t bytes = prober->bytes_;
  void* data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    return Error(Code::kResourceExhausted,
                 "no memory for a probe of " + std::to_string(bytes >> 20) + " MiB");
  }
  madvise(data, bytes, MADV_HUGEPAGE);  // where it is refused, small pages serve
  prober->data_ = static_cast<uint8_t*>(data);
  std::memset(data, 1, bytes);  // a page that was never written is not in memory
  return prober;
}

double Prober::ReadGbS(size_t threads) const {
  const ProbeKernels& kernels = ProbeKernelsFor(isa_);
  double best = 0;
  for (const Walk& walk : kWalks) {
    for (int i = 0; i < kTries; ++i) {
      const double ns = TimeTogether(
          threads, [&](size_t t) { ReadPart(kernels, walk, data_, bytes_, t, threads); });
      best = std::max(best, static_cast<double>(BytesRead(walk, bytes_, threads)) / ns);
    }
  }
  return best;
}

MachineLimits Prober::Measure(size_t threads) {
  TT_CHECK(threads >= 1 && threads <= kMaxThreads);
  const ProbeKernels& kernels = ProbeKernelsFor(isa_);
  MachineLimits limits;
  limits.read_gb_s = ReadGbS(threads);  // bytes per nanosecond are GB per second
  limits.int8_gops = OpsPerNs(kernels.int8, kInt8OpsPerRound, threads);
  limits.int4_gops = OpsPerNs(kernels.int4, kInt8OpsPerRound, threads);
  limits.f32_gflops = OpsPerNs(kernels.f32, kF32OpsPerRound, threads);
  return limits;
}

std::string CpuName() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (!line.starts_with("model name")) continue;
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace teetee::bench
