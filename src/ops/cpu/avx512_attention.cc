// AVX-512: attention.
#if defined(__x86_64__)

#include "ops/cpu/avx512_kernels.h"
#include "ops/cpu/avx512.h"
#include "ops/cpu/attention_kernel.h"

namespace teetee::ops::cpu {

void Avx512Attention(const AttentionArgs& args) { AttentionOf<Zmm>(args); }

void Avx512AttentionMerge(const float* partial, size_t stride, size_t n, size_t head_dim, const float* sink, float* out) {
  AttentionMergeOf<Zmm>(partial, stride, n, head_dim, sink, out);
}

}  // namespace teetee::ops::cpu

#endif
