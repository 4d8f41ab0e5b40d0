// AVX2: attention.
#if defined(__x86_64__)

#include "ops/cpu/avx2_kernels.h"
#include "ops/cpu/vector_avx2.h"
#include "ops/cpu/attention_kernel.h"

namespace teetee::ops::cpu {

void Avx2Attention(const AttentionArgs& args) { AttentionOf<Avx2>(args); }

void Avx2AttentionMerge(const float* partial, size_t stride, size_t n, size_t head_dim, const float* sink, float* out) {
  AttentionMergeOf<Avx2>(partial, stride, n, head_dim, sink, out);
}

}  // namespace teetee::ops::cpu

#endif
