// The check of the CUDA runtime's return codes.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/driver/cuda_error.h"

namespace escn::cuda {

// Throws CudaError with `what` was attempted and the runtime's own words.
void check(cudaError_t status, const char* what);

}  // namespace escn::cuda
