#include "ops/fp_env.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace teetee::ops {

#if defined(__x86_64__)
namespace {
constexpr uint32_t kDefault = 0x1F80;     // all exceptions masked, round to nearest even, no FTZ, no DAZ
constexpr uint32_t kStatusBits = 0x003F;  // sticky exception flags say nothing about how numbers are computed
}  // namespace

uint32_t ReadFpState() { return _mm_getcsr(); }
bool FpStateIsDefault() { return (ReadFpState() & ~kStatusBits) == kDefault; }
ScopedFpState::ScopedFpState() : saved_(_mm_getcsr()) {
  if ((saved_ & ~uint64_t{kStatusBits}) != kDefault) _mm_setcsr(kDefault);
}
ScopedFpState::~ScopedFpState() {
  // Compares with the present state, not with the default: code inside the scope may have changed it too.
  const uint32_t now = _mm_getcsr();
  if (((saved_ ^ now) & ~uint64_t{kStatusBits}) != 0) _mm_setcsr(static_cast<uint32_t>(saved_));
}
#elif defined(__aarch64__)
namespace {
uint64_t ReadFpcr() {
  uint64_t v;
  asm volatile("mrs %0, fpcr" : "=r"(v));
  return v;
}
void WriteFpcr(uint64_t v) { asm volatile("msr fpcr, %0" : : "r"(v)); }
}  // namespace

uint32_t ReadFpState() { return static_cast<uint32_t>(ReadFpcr()); }
bool FpStateIsDefault() { return ReadFpState() == 0; }
ScopedFpState::ScopedFpState() : saved_(ReadFpcr()) { WriteFpcr(0); }
ScopedFpState::~ScopedFpState() { WriteFpcr(saved_); }
#else
#error "no known floating-point control register for this machine"
#endif

}  // namespace teetee::ops
