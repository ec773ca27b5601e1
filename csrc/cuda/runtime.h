// Owners of what the CUDA runtime hands out, and the check of its return codes.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <string>

#include "cuda/arena.h"
#include "cuda/cuda_error.h"

namespace escn::cuda {

// Throws CudaError with `what` was attempted and the runtime's own words.
void check(cudaError_t status, const char* what);

// Makes the primary context of `device` current on this thread, and restores the context that was current
// before, whoever made it (PyCUDA's need not be a primary one).
class DeviceScope {
  public:
    explicit DeviceScope(int device);
    ~DeviceScope();
    DeviceScope(const DeviceScope&) = delete;
    DeviceScope& operator=(const DeviceScope&) = delete;

  private:
    CUcontext former_ = nullptr;
};

// Whether memory of the current GPU belongs to another context than the current one. Some memory, such as
// what is mapped by hand, belongs to none.
bool in_foreign_context(const void* address);

class Stream {
  public:
    Stream();
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    cudaStream_t get() const { return stream_; }

  private:
    cudaStream_t stream_ = nullptr;
};

class Event {
  public:
    explicit Event(bool timed = false);
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    void record(cudaStream_t stream);
    void make_wait(cudaStream_t stream) const;  // work queued on `stream` from here on waits for the record
    void synchronize() const;                   // the calling thread waits; returns at once if never recorded
    cudaEvent_t get() const { return event_; }

  private:
    cudaEvent_t event_ = nullptr;
};

std::unique_ptr<ArenaMemory> device_arena_memory(int device);

// Page-locked host memory, which the copy engine reads and writes on its own.
std::unique_ptr<ArenaMemory> pinned_memory(int device);

}  // namespace escn::cuda
