// The steps before and after the spatial networks of the SCN (paper, section 2.2): pooling the image and the
// local prediction for their input, and combining their prediction with the local one.
#pragma once

#include <cstdint>

#include "geometry/triple.h"

namespace escn::network {

// The spatial networks' size, for images of `size`. `stride`: the size of their voxels along each axis, in
// voxels of the image; 2, 4 or 8, and 4 in the released network.
// Throws std::invalid_argument for another stride, and for a size that is not a multiple of it, or of 16
// along x.
Size small_size(const Size& size, int64_t stride);

// How the local logits become the predictions that the spatial networks see.
enum class Prediction { kSigmoid, kSoftmax };

// `pooled` [1 + label][z/stride][y/stride][x/stride] are means over stride³ voxels: first those of `image`
// [z][y][x], then those of the predictions from `logits` [label][z][y][x]. Throws like `small_size`.
void pool_inputs(const float* image, const float* logits, int64_t labels, const Size& size, int64_t stride,
                 Prediction prediction, float* pooled, int threads);

// Converts the local logits `values` [label][z][y][x] to probabilities, in place. The spatial logits
// [label][z/stride][y/stride][x/stride] are upsampled cubically (A = -0.5, half-pixel, edge repeated). With
// l = σ(local), s = σ(spatial) and h the entropy of s in bits, p = l·h + s·(1 - h). The probabilities are p
// divided by the sum of 1e-5 and the p of all labels.
// If the labels are without the background, and `background` [z][y][x] is not null, that gets its
// probability: its p is what the labels leave of 1, if anything, and counts in that sum. Throws like
// `small_size`.
void combine(float* values, const float* spatial, int64_t labels, const Size& size, int64_t stride,
             float* background, int threads);

}  // namespace escn::network
