// What surrounds the spatial networks of the SCN (paper, section 2.2): what they see of the local prediction,
// and how their own is combined with it.
#pragma once

#include <cstdint>

#include "geometry/triple.h"

namespace escn::network {

// The spatial networks' voxels are this many of the image's along each axis.
constexpr int64_t kStride = 4;

inline Size small_size(const Size& size) { return {size[0] / kStride, size[1] / kStride, size[2] / kStride}; }

// Sizes along x are multiples of this.
constexpr int64_t kRowMultiple = 16;

// `pooled` [label][z/4][y/4][x/4] are the means of σ(logits) over 4×4×4 voxels of `logits` [label][z][y][x].
// Throws std::invalid_argument for a size that is no multiple of 4, or of 16 along x.
void pool_sigmoids(const float* logits, int64_t labels, const Size& size, float* pooled, int threads);

// Turns the local logits [label][z][y][x] into probabilities, in place, with the spatial logits
// [label][z/4][y/4][x/4], which are upsampled cubically (A = -0.5, half-pixel, edge repeated): with l and s
// the two sigmoids and h the entropy of s in bits, p = l·h + s·(1 - h), divided by the sum over the labels
// and 1e-5. Throws as `pool_sigmoids`.
void combine(float* values, const float* spatial, int64_t labels, const Size& size, int threads);

}  // namespace escn::network
