// Portable probes: what the compiler makes of plain loops for the base instruction set.
#include <cmath>
#include <cstring>

#include "bench/probe_kernels.h"

namespace teetee::bench {
namespace {

uint64_t Word(const uint8_t* p) {
  uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  return word;
}

uint64_t Read(const uint8_t* data, size_t bytes, ReadPattern pattern) {
  uint64_t sum[4] = {};
  const size_t stride = bytes / pattern.streams;
  for (size_t i = 0; i < stride; i += 32) {
    for (size_t s = 0; s < pattern.streams; ++s) {
      const uint8_t* p = data + s * stride + i;
      if (pattern.prefetch_bytes != 0) __builtin_prefetch(p + pattern.prefetch_bytes);
      for (size_t w = 0; w < 4; ++w) sum[w] += Word(p + 8 * w);
    }
  }
  return sum[0] + sum[1] + sum[2] + sum[3];
}

uint64_t Int8(size_t rounds) {
  uint8_t u[64];
  int8_t s[64];
  for (int i = 0; i < 64; ++i) u[i] = static_cast<uint8_t>(i * 3), s[i] = static_cast<int8_t>(i);
  int32_t sum[64] = {};
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t step = 0; step < kInt8OpsPerRound / 128; ++step) {
      for (int i = 0; i < 64; ++i) sum[i] += u[i] * s[i];
      asm volatile(""
                   :
                   : "r"(&u[0]), "r"(&s[0]), "r"(&sum[0])
                   : "memory");  // neither hoisted nor summed up
    }
  }
  uint64_t total = 0;
  for (int32_t v : sum) total += static_cast<uint32_t>(v);
  return total;
}

uint64_t F32(size_t rounds) {
  float x[16], sum[16];
  for (int i = 0; i < 16; ++i) x[i] = 1.0f + static_cast<float>(i), sum[i] = 0;
  for (size_t r = 0; r < rounds; ++r) {
    for (size_t step = 0; step < kF32OpsPerRound / 32; ++step) {
      for (int i = 0; i < 16; ++i) sum[i] = __builtin_fmaf(x[i], 0.5f, sum[i]);
      asm volatile("" : : "r"(&x[0]), "r"(&sum[0]) : "memory");
    }
  }
  uint64_t total = 0;
  for (float v : sum) total += static_cast<uint64_t>(std::fabs(v));
  return total;
}

}  // namespace

const ProbeKernels kScalarProbe = {Read, Int8, Int8, F32};

const ProbeKernels& ProbeKernelsFor(ops::Isa isa) {
#if defined(__x86_64__)
  if (isa == ops::Isa::kAmx) return kAmxProbe;
  if (isa == ops::Isa::kAvx512) return kAvx512Probe;
  if (isa == ops::Isa::kAvx2) return kAvx2Probe;
#endif
  (void)isa;
  return kScalarProbe;
}

}  // namespace teetee::bench
