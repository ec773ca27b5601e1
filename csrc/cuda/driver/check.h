// Checks the CUDA runtime's return codes.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/driver/cuda_error.h"

namespace escn::cuda {

// Throws CudaError if `status` is an error. The message says what was attempted (`what`) and the runtime's
// text.
void check(cudaError_t status, const char* what);

}  // namespace escn::cuda
