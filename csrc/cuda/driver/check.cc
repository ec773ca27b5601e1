#include "cuda/driver/check.h"

#include <string>

namespace escn::cuda {

void check(cudaError_t status, const char* what) {
    if (status == cudaSuccess) return;
    cudaGetLastError();
    throw CudaError(std::string("CUDA failed in ") + what + ": " + cudaGetErrorString(status) + " (" +
                    cudaGetErrorName(status) + ").");
}

}  // namespace escn::cuda
