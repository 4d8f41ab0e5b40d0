// RMSNorm (Zhang and Sennrich 2019) and LayerNorm (Ba et al. 2016). Source: docs/formats/numerics.md section 4.
#pragma once

#include <cstddef>

#include "base/result.h"
#include "ops/isa.h"

namespace teetee::ops {

// x, y: (rows, n); y may be x. w: (n), or nullptr to leave the product out. The same w serves every row, so a QK-norm is a
// call with rows = tokens * heads and n = head_dim. kInvalidArgument: a value of x is not finite.
Status RmsNorm(Isa isa, const float* x, const float* w, size_t rows, size_t n, float eps, float* y);
// b: (n), or nullptr to leave the sum out.
Status LayerNorm(Isa isa, const float* x, const float* w, const float* b, size_t rows, size_t n,
                 float eps, float* y);

}  // namespace teetee::ops
