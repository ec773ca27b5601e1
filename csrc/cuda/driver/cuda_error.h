// A failure of the CUDA runtime or of the GPU, described in one sentence.
#pragma once

#include <stdexcept>

namespace escn::cuda {

class CudaError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace escn::cuda
