#include "cuda/make_device.h"

#include "cuda/cuda_device.h"

namespace escn::cuda {

std::unique_ptr<Device> make_cuda_device(int index) { return std::make_unique<CudaDevice>(index); }

std::unique_ptr<ArenaMemory> cuda_memory(int index) { return device_arena_memory(index); }

void read_cuda(void* to, const void* from, std::size_t bytes, engine::Handle stream) {
    check(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(stream)), "waiting for a stream");
    check(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), "copying from the GPU");
}

void write_cuda(void* to, const void* from, std::size_t bytes, engine::Handle stream) {
    check(cudaStreamSynchronize(reinterpret_cast<cudaStream_t>(stream)), "waiting for a stream");
    check(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "copying to the GPU");
}

std::unique_ptr<DeviceGuard> make_cuda_current(int index) { return make_guard(index); }

}  // namespace escn::cuda
