// The loops that a machine's limits are measured with, once per instruction set, as a table. Plain
// data only: translation units with flags of their own include this header (tools/check_flags.py).
#pragma once

#include <cstddef>
#include <cstdint>

#include "ops/isa.h"

namespace teetee::bench {

// How a thread walks over its bytes.
struct ReadPattern {
  size_t streams;         // 1 or 4 places that advance together
  size_t prefetch_bytes;  // software prefetch so far ahead; 0: none
};

// Operations of one round; a multiply-add counts as two. Each unit does exactly these numbers.
enum : size_t { kInt8OpsPerRound = 8192, kF32OpsPerRound = 3072 };
// Bytes that `read` takes at once: its size argument is a multiple of it.
enum : size_t { kReadGrain = 1024 };

// Every function returns a value that depends on all it did, so that nothing can be left out.
struct ProbeKernels {
  uint64_t (*read)(const uint8_t* data, size_t bytes, ReadPattern pattern);
  // Dot products of any u8 with any s8 into 32-bit sums, operands in registers.
  uint64_t (*int8)(size_t rounds);
  // The same where the u8 operands have 4 bits, so that sums may stay in 16 bits for a while. Equal
  // to int8 where an instruction sums into 32 bits by itself.
  uint64_t (*int4)(size_t rounds);
  // Fused multiply-adds in registers, in enough chains to hide their latency.
  uint64_t (*f32)(size_t rounds);
};

extern const ProbeKernels kScalarProbe;
#if defined(__x86_64__)
extern const ProbeKernels kAvx2Probe;
extern const ProbeKernels kAvx512Probe;
extern const ProbeKernels kAmxProbe;
uint64_t AmxInt8(size_t rounds);
#endif

// REQUIRES: ops::IsaSupported(isa).
const ProbeKernels& ProbeKernelsFor(ops::Isa isa);

}  // namespace teetee::bench
