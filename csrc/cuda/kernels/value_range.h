// Encodes floats as integers of the same order, so that integer atomics find their extremes.
#pragma once

#include <float.h>

#include "cuda/kernels/work.h"
#include "resample/half.h"

namespace escn::cuda {

constexpr uint32_t kNoLow = 0xffffffffu;  // no finite float has these codes
constexpr uint32_t kNoHigh = 0;

ESCN_HD bool is_finite(float value) { return value >= -FLT_MAX && value <= FLT_MAX; }

ESCN_HD uint32_t ordered_code(float value) {
#if defined(__CUDA_ARCH__)
    const uint32_t bits = __float_as_uint(value);
#else
    const uint32_t bits = float_bits(value);
#endif
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

// The decoded extremes: low is infinity and high is -infinity if no voxel is finite.
struct ValueRangeResult {
    double low;
    double high;
    uint64_t nonfinite;
};
ValueRangeResult decoded(const ValueRange& range);

}  // namespace escn::cuda
