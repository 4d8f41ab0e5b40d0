#include "ops/isa.h"

#include <string>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__) && defined(__x86_64__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#if defined(__i386__) || (defined(__arm__) && !defined(__aarch64__))
#error "32-bit x86 (x87) and ARMv7 (always flushes to zero) cannot compute profile 1"
#endif

namespace teetee::ops {

#if defined(__x86_64__)
namespace {

// clang 14 has no __builtin_cpu_supports("f16c"). Its registers are AVX's, so the operating system's consent to AVX2 covers it.
bool HasF16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

bool HasAmx() {
#if defined(TEETEE_EMULATE_AVX512)
  return true;
#else
  constexpr unsigned kTile = 1u << 24, kInt8 = 1u << 25;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kTile) != 0 && (edx & kInt8) != 0;
#endif
}

// Linux keeps the 8 KB of tiles only for a process that asks for them, so nobody asks before AMX is wanted. A kernel that cannot
// keep them refuses. https://docs.kernel.org/arch/x86/xstate.html
bool MayUseAmx() {
#if defined(TEETEE_EMULATE_AVX512)
  return true;
#elif defined(__linux__)
  constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILE_DATA
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
#else
  return false;
#endif
}

struct Detected {
  bool avx2 = false;
  bool avx512 = false;
};

Detected Detect() {
  // __builtin_cpu_supports also asks the operating system whether it saves the registers (XGETBV).
  __builtin_cpu_init();
  Detected d;
  d.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && HasF16c();
#if defined(TEETEE_EMULATE_AVX512)
  d.avx512 = d.avx2;  // a test program's kernels in portable C++; their RoPE is AVX2's
#else
  d.avx512 = d.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vnni");
#endif
  return d;
}

}  // namespace

bool IsaSupported(Isa isa) {
  static const Detected detected = Detect();  // once: cpuid leaves the guest of a virtual machine
  switch (isa) {
    case Isa::kScalar:
      return true;
    case Isa::kAvx2:
      return detected.avx2;
    case Isa::kAvx512:
      return detected.avx512;
    case Isa::kAmx:
      static const bool amx = detected.avx512 && HasAmx() && MayUseAmx();
      return amx;
  }
  return false;
}
#else
bool IsaSupported(Isa isa) { return isa == Isa::kScalar; }
#endif

Isa BestIsa() {
  for (Isa isa : {Isa::kAvx512, Isa::kAvx2}) {
    if (IsaSupported(isa)) return isa;
  }
  return Isa::kScalar;
}

std::string_view IsaName(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return "scalar";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAmx:
      return "amx";
  }
  return "unknown";
}

Result<Isa> ParseIsa(std::string_view name) {
  for (Isa isa : kAllIsas) {
    if (name != IsaName(isa)) continue;
    if (!IsaSupported(isa)) {
      return Error(Code::kFailedPrecondition, "this machine does not support " + std::string(name));
    }
    return isa;
  }
  return Error(Code::kInvalidArgument, "unknown instruction set; choose scalar, avx2, avx512 or amx");
}

}  // namespace teetee::ops
