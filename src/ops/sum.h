// The one order in which a vector is summed, and tests for non-finite numbers.
// Source: docs/formats/numerics.md sections 0 and 4.
#pragma once

#include <cstddef>

namespace teetee::ops {

// 16 lanes from +0, lane i mod 16 takes x[i]; lanes are then added in halves. x: (n). n = 0 gives +0.
float Sum16(const float* x, size_t n);

// No NaN and no infinity in x: (n).
bool AllFinite(const float* x, size_t n);
// Every |x[i]| < 2^100 (and finite): what a query vector must satisfy before attention.
bool AllBelow2Pow100(const float* x, size_t n);

}  // namespace teetee::ops
