// The devices that this build has.
#pragma once

#include <cstdint>
#include <memory>

#include "cuda/device.h"

namespace escn::cuda {

// Throws CudaError if this build has no CUDA core or this machine no such GPU.
std::unique_ptr<Device> make_cuda_device(int index);

// Memory of GPU `index` for what outlives a run, such as labels that stay there.
std::unique_ptr<ArenaMemory> cuda_memory(int index);

// Copy from and to the current device's memory once `stream` is done with what it has, and wait for the copy.
void read_cuda(void* to, const void* from, std::size_t bytes, engine::Handle stream);
void write_cuda(void* to, const void* from, std::size_t bytes, engine::Handle stream);

// GPU `index` is current on this thread for as long as the guard lives.
std::unique_ptr<DeviceGuard> make_cuda_current(int index);

}  // namespace escn::cuda
