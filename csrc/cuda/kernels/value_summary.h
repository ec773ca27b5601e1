// Encodes floats as integers of the same order, so that integer atomics find their extremes.
#pragma once

#include "cuda/kernels/work.h"
#include "resample/half.h"

namespace escn::cuda {

constexpr uint32_t kNoLow = 0xffffffffu;  // no finite float has these codes
constexpr uint32_t kNoHigh = 0;

ESCN_HD uint32_t ordered_code(float value) {
#if defined(__CUDA_ARCH__)
    const uint32_t bits = __float_as_uint(value);
#else
    const uint32_t bits = float_bits(value);
#endif
    return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

ValueSummary decoded(const EncodedSummary& summary);

}  // namespace escn::cuda
