// The sizes and spacings a plan starts from.
#pragma once

#include <vector>

#include "geometry/triple.h"

namespace escn {

// The smallest valid size strictly larger than `size`, else the largest (docs/reference-pipeline.md).
int64_t valid_size(int64_t size, const std::vector<int64_t>& valid_sizes);

// Throws std::invalid_argument unless `size` is positive and `spacing` positive and finite on every axis.
void check_image(const Size& size, const Triple<double>& spacing);

}  // namespace escn
