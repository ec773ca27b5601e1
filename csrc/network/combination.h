// The steps before and after the spatial networks of the SCN (paper, section 2.2): pooling the image and the
// local prediction for their input, and combining their prediction with the local one.
#pragma once

#include <cstdint>

#include "geometry/triple.h"

namespace escn::network {

// The size of the spatial networks' voxels along each axis, in voxels of the image.
constexpr int64_t kStride = 4;

inline Size small_size(const Size& size) { return {size[0] / kStride, size[1] / kStride, size[2] / kStride}; }

// Sizes along x are multiples of this.
constexpr int64_t kRowMultiple = 16;

// `pooled` [1 + label][z/4][y/4][x/4] are means over 4×4×4 voxels: first those of `image` [z][y][x], then
// those of σ(logits) of `logits` [label][z][y][x].
// Throws std::invalid_argument for a size that is not a multiple of 4, or of 16 along x.
void pool_inputs(const float* image, const float* logits, int64_t labels, const Size& size, float* pooled,
                 int threads);

// Converts the local logits `values` [label][z][y][x] to probabilities, in place. The spatial logits
// [label][z/4][y/4][x/4] are upsampled cubically (A = -0.5, half-pixel, edge repeated). With
// l = σ(local), s = σ(spatial) and h the entropy of s in bits, p = l·h + s·(1 - h). The probabilities are p
// divided by the sum of 1e-5 and the p of all labels. Throws like `pool_inputs`.
void combine(float* values, const float* spatial, int64_t labels, const Size& size, int threads);

}  // namespace escn::network
