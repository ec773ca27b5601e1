// Valid input sizes of a network, and the check of an image's size and spacing.
#pragma once

#include <vector>

#include "geometry/triple.h"

namespace escn {

// The smallest valid size strictly larger than `size`, else the largest size (docs/reference-pipeline.md).
int64_t valid_size(int64_t size, const std::vector<int64_t>& valid_sizes);

// Throws std::invalid_argument unless `size` is positive and `spacing` positive and finite on every axis.
void check_image(const Size& size, const Triple<double>& spacing);

}  // namespace escn
