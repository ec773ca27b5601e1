// The GPU that a pipeline works on.
#pragma once

#include <cuda.h>

#include <memory>

#include "cuda/driver/stream.h"

namespace escn::cuda {

// Makes the primary context of a GPU current on this thread, and restores the context that was current
// before, whoever made it (PyCUDA's need not be a primary one). Throws CudaError if there is no such GPU.
class DeviceScope {
  public:
    explicit DeviceScope(int device);
    ~DeviceScope();
    DeviceScope(const DeviceScope&) = delete;
    DeviceScope& operator=(const DeviceScope&) = delete;

  private:
    CUcontext former_ = nullptr;
};

// Where an address lies.
struct MemoryPlace {
    int device;            // its number; -1: the host
    bool foreign_context;  // on this device, but in another context than its primary one: out of reach
};

// Two streams of a GPU: one for kernels and networks, one for copies of slabs beside them. All but the
// constructor and the destructor need the device to be current.
class Device {
  public:
    explicit Device(int index);
    ~Device();

    int index() const { return index_; }
    Stream& compute() { return streams_->compute; }
    Stream& copies() { return streams_->copies; }
    // Waits for both streams, whatever failed before.
    void drain() noexcept;
    MemoryPlace place_of(const void* address) const;

  private:
    struct Streams {
        Stream compute;
        Stream copies;
    };

    int index_;
    std::unique_ptr<Streams> streams_;
};

}  // namespace escn::cuda
