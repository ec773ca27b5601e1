// IEEE float16 values in memory, for host and device.
#pragma once

#include <stdint.h>

#include "resample/host_device.h"

#if defined(__CUDACC__)
#include <cuda_fp16.h>
#else
#include <string.h>
#endif

namespace escn {

struct Half {
    uint16_t bits;
};

#if !defined(__CUDA_ARCH__)
static inline uint32_t float_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float bits_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
#endif

ESCN_HD float load(const float* value) { return *value; }

ESCN_HD float load(const Half* value) {
#if defined(__CUDA_ARCH__)
    return __half2float(__ushort_as_half(value->bits));
#else
    const uint32_t sign = static_cast<uint32_t>(value->bits & 0x8000u) << 16;
    const uint32_t rest = value->bits & 0x7fffu;
    if (rest >= 0x7c00u) return bits_float(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
    // Normal and subnormal values: shifts the bits into a float and scales it by the difference of
    // the exponent biases.
    return bits_float(sign | float_bits(bits_float(rest << 13) * 0x1p112f));
#endif
}

ESCN_HD void store(float* out, float value) { *out = value; }

ESCN_HD void store(Half* out, float value) {
#if defined(__CUDA_ARCH__)
    out->bits = __half_as_ushort(__float2half_rn(value));
#else
    const uint32_t bits = float_bits(value);
    const uint32_t sign = bits >> 16 & 0x8000u;
    const uint32_t magnitude = bits & 0x7fffffffu;
    uint32_t half;
    if (magnitude > 0x7f800000u) {
        half = 0x7fffu;  // NaN
    } else if (magnitude >= 0x477ff000u) {
        half = 0x7c00u;  // rounds to infinity
    } else if (magnitude < 0x38800000u) {
        // Subnormal: adding 0.5 leaves the value, rounded to even, in the last bits.
        half = float_bits(bits_float(magnitude) + 0.5f) - 0x3f000000u;
    } else {
        half = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
    }
    out->bits = static_cast<uint16_t>(sign | half);
#endif
}

}  // namespace escn
