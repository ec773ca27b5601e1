// Checks that a network's input and output suit the pipeline. Failed checks throw std::invalid_argument.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/kernels/work.h"
#include "engine/network.h"

namespace escn::cuda {

inline std::size_t voxels(const Size& size) { return static_cast<std::size_t>(size[0] * size[1] * size[2]); }

// The element type of a floating-point tensor; throws for kByte. `tensor` names it in the message.
FloatType float_type(engine::DataType type, const char* tensor);

// Throws unless the shapes agree. A network may have more channels than expected, but not fewer.
void check_output(const std::vector<int64_t>& found, const std::vector<int64_t>& expected,
                  const char* network);

}  // namespace escn::cuda
