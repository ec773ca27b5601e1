// What a network's input and output must be for the pipeline. Refusals are std::invalid_argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/work.h"
#include "engine/network.h"

namespace escn::cuda {

inline std::size_t voxels(const Size& size) { return static_cast<std::size_t>(size[0] * size[1] * size[2]); }

// The type of a tensor that holds numbers.
FloatType float_type(engine::DataType type, const char* tensor);

// A network may have more channels than are expected, and no fewer.
void check_output(const std::vector<int64_t>& found, const std::vector<int64_t>& expected,
                  const char* network);

}  // namespace escn::cuda
