// GPU memory, page-locked host memory, and copies that the calling thread waits for.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/network.h"

namespace escn::cuda {

class Allocator {
  public:
    virtual ~Allocator() = default;
    virtual void* allocate(std::size_t bytes) = 0;  // throws CudaError when there is not enough
    virtual void release(void* block) noexcept = 0;
};

std::unique_ptr<Allocator> device_memory(int device);

// Page-locked host memory, which the GPU's copy engine reads and writes without the CPU.
std::unique_ptr<Allocator> pinned_memory(int device);

// Wait for the work queued on `stream`, then copy from or to the current GPU's memory.
void read_device(void* to, const void* from, std::size_t bytes, engine::Handle stream);
void write_device(void* to, const void* from, std::size_t bytes, engine::Handle stream);

}  // namespace escn::cuda
