#include "cuda/runtime.h"

#include <sstream>

namespace escn::cuda {
namespace {

std::string megabytes(std::size_t bytes) {
    std::ostringstream text;
    text << (bytes + 999999) / 1000000 << " MB";
    return text.str();
}

void* device_malloc(std::size_t bytes) {
    void* block = nullptr;
    const cudaError_t status = cudaMalloc(&block, bytes);
    if (status == cudaErrorMemoryAllocation) {
        cudaGetLastError();  // not sticky: the context stays usable
        std::size_t available = 0, total = 0;
        check(cudaMemGetInfo(&available, &total), "asking for the free GPU memory");
        throw CudaError("The GPU has " + megabytes(available) + " of its " + megabytes(total) +
                        " free, but " + megabytes(bytes) +
                        " are needed for this scan; free some, or use device=\"cpu\".");
    }
    check(status, "allocating GPU memory");
    return block;
}

// The driver comes through the runtime, for linking it would keep the module from loading where there is
// none.
template <typename Function>
Function* driver_function(const char* name) {
    void* function = nullptr;
#if CUDART_VERSION >= 12050
    check(cudaGetDriverEntryPointByVersion(name, &function, 11040, cudaEnableDefault, nullptr), name);
#else
    check(cudaGetDriverEntryPoint(name, &function, cudaEnableDefault), name);
#endif
    if (function == nullptr) throw CudaError(std::string("The NVIDIA driver lacks ") + name + "; update it.");
    return reinterpret_cast<Function*>(function);
}

class DeviceMemory final : public ArenaMemory {
  public:
    explicit DeviceMemory(int device) : device_(device) {}
    void* allocate(std::size_t bytes) override {
        const DeviceScope scope(device_);
        return device_malloc(bytes);
    }
    void release(void* block) noexcept override {
        try {
            const DeviceScope scope(device_);
            cudaFree(block);
        } catch (const CudaError&) {  // the context is gone, and its memory with it
        }
    }

  private:
    int device_;
};

class PinnedMemory final : public ArenaMemory {
  public:
    explicit PinnedMemory(int device) : device_(device) {}
    void* allocate(std::size_t bytes) override {
        const DeviceScope scope(device_);
        void* block = nullptr;
        check(cudaHostAlloc(&block, bytes, cudaHostAllocDefault), "allocating page-locked memory");
        return block;
    }
    void release(void* block) noexcept override { cudaFreeHost(block); }

  private:
    int device_;
};

}  // namespace

void check(cudaError_t status, const char* what) {
    if (status == cudaSuccess) return;
    cudaGetLastError();
    throw CudaError(std::string("CUDA failed in ") + what + ": " + cudaGetErrorString(status) + " (" +
                    cudaGetErrorName(status) + ").");
}

DeviceScope::DeviceScope(int device) {
    // Initialises the driver, and is not an error without a device; selecting one is.
    int count = 0;
    check(cudaGetDeviceCount(&count), "looking for GPUs");
    driver_function<CUresult(CUcontext*)>("cuCtxGetCurrent")(&former_);
    check(cudaSetDevice(device), "selecting the GPU");
    check(cudaFree(nullptr), "creating the GPU's primary context");
}

// Not cudaSetDevice: on a thread that had no context it would create one on GPU 0.
DeviceScope::~DeviceScope() {
    try {
        driver_function<CUresult(CUcontext)>("cuCtxSetCurrent")(former_);
    } catch (const CudaError&) {  // no driver any more, hence no context to restore
    }
}

bool in_foreign_context(const void* address) {
    CUcontext owner = nullptr, current = nullptr;
    const auto ask =
        driver_function<CUresult(void*, CUpointer_attribute, CUdeviceptr)>("cuPointerGetAttribute");
    const auto pointer = reinterpret_cast<CUdeviceptr>(address);
    if (ask(&owner, CU_POINTER_ATTRIBUTE_CONTEXT, pointer) != CUDA_SUCCESS) return false;
    driver_function<CUresult(CUcontext*)>("cuCtxGetCurrent")(&current);
    return owner != nullptr && owner != current;
}

// Non-blocking: work on the legacy default stream, PyCUDA's for one, must not serialise with a run.
Stream::Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream"); }

Stream::~Stream() { cudaStreamDestroy(stream_); }

Event::Event(bool timed) {
    check(cudaEventCreateWithFlags(&event_, timed ? cudaEventDefault : cudaEventDisableTiming),
          "creating an event");
}

Event::~Event() { cudaEventDestroy(event_); }

void Event::record(cudaStream_t stream) { check(cudaEventRecord(event_, stream), "recording an event"); }

void Event::make_wait(cudaStream_t stream) const {
    check(cudaStreamWaitEvent(stream, event_, 0), "ordering two streams");
}

void Event::synchronize() const { check(cudaEventSynchronize(event_), "waiting for the GPU"); }

std::unique_ptr<ArenaMemory> device_arena_memory(int device) {
    return std::make_unique<DeviceMemory>(device);
}

std::unique_ptr<ArenaMemory> pinned_memory(int device) { return std::make_unique<PinnedMemory>(device); }

}  // namespace escn::cuda
