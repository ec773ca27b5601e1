// Linear resize, half-pixel centres, neighbours clamped, no antialiasing (docs/reference-pipeline.md).
#pragma once

#include <math.h>
#include <stdint.h>

#include "resample/host_device.h"

namespace escn {

struct LinearTap {
    int32_t left;
    int32_t right;
    float left_weight;
    float right_weight;
};

ESCN_HD LinearTap linear_tap(int32_t o, int32_t in, int32_t out) {
    const float scale = static_cast<float>(in) / static_cast<float>(out);
    const float position = (static_cast<float>(o) + 0.5f) * scale - 0.5f;
    const float base = floorf(position);
    const float fraction = position - base;
    const auto left = static_cast<int32_t>(base);
    const int32_t last = in - 1;
    return {left < 0 ? 0 : (left > last ? last : left), left + 1 > last ? last : left + 1, 1.0f - fraction,
            fraction};
}

// Computes both products, so that order survives rounding: blend(a, b) <= blend(c, d) where a <= c and
// b <= d.
ESCN_HD float blend(float left, float right, float left_weight, float right_weight) {
    return left * left_weight + right * right_weight;
}

}  // namespace escn
