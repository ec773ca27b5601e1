// Gaussian smoothing along one axis: mirrored border, taps that sum to 1 (docs/reference-pipeline.md).
#pragma once

#include <math.h>
#include <stdint.h>

#include "resample/host_device.h"

namespace escn {

// The radius in voxels for a `sigma` in voxels; 0 where `sigma` is 0.
ESCN_HD int32_t gaussian_radius(float sigma) {
    return sigma > 0.0f ? static_cast<int32_t>(ceilf(sigma * 4.0f + 0.5f)) : 0;
}

// Writes the 2 * radius + 1 taps.
ESCN_HD void gaussian_taps(float sigma, int32_t radius, float* taps) {
    const double exponent = sigma > 0.0f ? -0.5 / (static_cast<double>(sigma) * sigma) : 0.0;
    double sum = 0.0;
    for (int32_t k = -radius; k <= radius; ++k) sum += exp(exponent * k * k);
    for (int32_t k = -radius; k <= radius; ++k) {
        taps[k + radius] = static_cast<float>(exp(exponent * k * k) / sum);
    }
}

// The voxel at index `i` of an image of `size` voxels, mirrored at its borders with the edge voxel repeated.
ESCN_HD int32_t mirrored(int32_t i, int32_t size) {
    if (i >= 0 && i < size) return i;
    const int32_t period = 2 * size;
    const int32_t phase = ((i % period) + period) % period;
    return phase < size ? phase : period - 1 - phase;
}

}  // namespace escn
