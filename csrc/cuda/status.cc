#include "cuda/status.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <sstream>

namespace escn::cuda {
namespace {

std::string version(int number) {
    std::ostringstream text;
    text << number / 1000 << "." << number % 1000 / 10;
    return text.str();
}

std::string problem_of(cudaError_t found, const Status& status) {
    if (status.driver == 0) return "There is no NVIDIA driver on this machine; install one for a GPU.";
    if (found == cudaErrorInsufficientDriver) {
        return "The NVIDIA driver is for CUDA " + version(status.driver) + ", but this build needs CUDA " +
               version(status.runtime) + "; update the driver.";
    }
    if (found == cudaErrorNoDevice || (found == cudaSuccess && status.devices.empty())) {
        return "The NVIDIA driver finds no GPU (is CUDA_VISIBLE_DEVICES set?).";
    }
    if (found != cudaSuccess) return std::string("CUDA does not start: ") + cudaGetErrorString(found) + ".";
    const bool any = std::any_of(status.devices.begin(), status.devices.end(),
                                 [](const DeviceStatus& device) { return device.supported; });
    if (any) return "";
    const DeviceStatus& device = status.devices.front();
    std::ostringstream text;
    text << "The " << device.name << " has compute capability " << device.major << "." << device.minor
         << ", but this build is for " << status.architectures
         << "; install it from source with CMAKE_CUDA_ARCHITECTURES=native.";
    return text.str();
}

}  // namespace

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
        status.devices.push_back({properties.name, properties.major, properties.minor,
                                  properties.totalGlobalMem,
                                  runs_on(status.architectures, properties.major, properties.minor)});
    }
    status.problem = problem_of(found, status);
    return status;
}

}  // namespace escn::cuda
