// The GPU that a pipeline works on.
#pragma once

#include <cuda.h>

#include <memory>

#include "cuda/driver/stream.h"

namespace escn::cuda {

// Makes the primary context of a GPU current on this thread. The destructor restores the context that was
// current before, whichever library created it (PyCUDA's need not be a primary one). Throws CudaError if
// there is no such GPU.
class DeviceScope {
  public:
    explicit DeviceScope(int device);
    ~DeviceScope();
    DeviceScope(const DeviceScope&) = delete;
    DeviceScope& operator=(const DeviceScope&) = delete;

  private:
    CUcontext former_ = nullptr;
};

// The memory that an address is in.
struct MemoryPlace {
    int device;            // the GPU's number, or -1 for the host
    bool foreign_context;  // in a context of this device other than its primary one: unreachable
};

// Two streams of a GPU: one for kernels and networks, the other for copies of slabs at the same time. The
// device must be current in all functions except the constructor and the destructor.
class Device {
  public:
    explicit Device(int index);
    ~Device();

    int index() const { return index_; }
    Stream& compute() { return streams_->compute; }
    Stream& copies() { return streams_->copies; }
    // Waits for both streams; ignores errors.
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
