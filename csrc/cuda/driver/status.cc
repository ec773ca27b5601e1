#include "cuda/driver/status.h"

#include <cuda_runtime_api.h>

namespace escn::cuda {

static_assert(kDriverTooOld == cudaErrorInsufficientDriver && kNoGpu == cudaErrorNoDevice);

Status status() {
    Status status;
    status.built = true;
    status.architectures = ESCN_CUDA_ARCHITECTURES;
    cudaRuntimeGetVersion(&status.runtime);
    cudaDriverGetVersion(&status.driver);
    int count = 0;
    const cudaError_t found = cudaGetDeviceCount(&count);
    cudaGetLastError();
    for (int index = 0; found == cudaSuccess && index < count; ++index) {
        cudaDeviceProp properties{};
        if (cudaGetDeviceProperties(&properties, index) != cudaSuccess) {
            cudaGetLastError();
            properties = {};
        }
        status.devices.push_back(device_status(properties.name, properties.major, properties.minor,
                                               properties.totalGlobalMem, status.architectures));
    }
    status.problem = problem_of(status, found, cudaGetErrorString(found));
    return status;
}

}  // namespace escn::cuda
