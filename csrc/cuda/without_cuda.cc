// What a build without nvcc answers.
#include "cuda/cuda_error.h"
#include "cuda/make_device.h"
#include "cuda/status.h"

namespace escn::cuda {

Status status() {
    Status status;
    status.problem = "This build of efficientscn-trt has no CUDA core (" ESCN_CUDA_REASON
                     "); install the CUDA toolkit 12 or newer and then the package again, from source.";
    return status;
}

std::unique_ptr<Device> make_cuda_device(int) { throw CudaError(status().problem); }

std::unique_ptr<ArenaMemory> cuda_memory(int) { throw CudaError(status().problem); }

void read_cuda(void*, const void*, std::size_t, engine::Handle) { throw CudaError(status().problem); }

void write_cuda(void*, const void*, std::size_t, engine::Handle) { throw CudaError(status().problem); }

std::unique_ptr<DeviceGuard> make_cuda_current(int) { throw CudaError(status().problem); }

}  // namespace escn::cuda
