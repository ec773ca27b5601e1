#include "cuda/driver/device.h"

#include <string>

#include "cuda/driver/check.h"

namespace escn::cuda {
namespace {

// Gets the driver's functions from the runtime, because a module linked to the driver would not load on
// machines without a driver.
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

// Whether memory of the current GPU belongs to another context than the current one. Some memory, such as
// memory mapped with cuMemMap, belongs to no context.
bool in_foreign_context(const void* address) {
    CUcontext owner = nullptr, current = nullptr;
    const auto ask =
        driver_function<CUresult(void*, CUpointer_attribute, CUdeviceptr)>("cuPointerGetAttribute");
    const auto pointer = reinterpret_cast<CUdeviceptr>(address);
    if (ask(&owner, CU_POINTER_ATTRIBUTE_CONTEXT, pointer) != CUDA_SUCCESS) return false;
    driver_function<CUresult(CUcontext*)>("cuCtxGetCurrent")(&current);
    return owner != nullptr && owner != current;
}

}  // namespace

DeviceScope::DeviceScope(int device) {
    // Initialises the driver, which cuCtxGetCurrent needs.
    int count = 0;
    check(cudaGetDeviceCount(&count), "looking for GPUs");
    driver_function<CUresult(CUcontext*)>("cuCtxGetCurrent")(&former_);
    check(cudaSetDevice(device), "selecting the GPU");
    check(cudaFree(nullptr), "creating the GPU's primary context");
}

// Does not call cudaSetDevice, which would create a context on GPU 0 on a thread that had none.
DeviceScope::~DeviceScope() {
    try {
        driver_function<CUresult(CUcontext)>("cuCtxSetCurrent")(former_);
    } catch (const CudaError&) {  // the driver is gone, and the context with it
    }
}

Device::Device(int index) : index_(index) {
    const DeviceScope scope(index_);
    streams_ = std::make_unique<Streams>();
}

Device::~Device() {
    try {
        const DeviceScope scope(index_);
        streams_.reset();
    } catch (const CudaError&) {  // the context is gone, and its streams with it
    }
}

void Device::drain() noexcept {
    copies().synchronize();
    compute().synchronize();
}

MemoryPlace Device::place_of(const void* address) const {
    cudaPointerAttributes attributes{};
    check(cudaPointerGetAttributes(&attributes, address), "finding where an array is");
    const bool on_device =
        attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged;
    if (!on_device) return {-1, false};
    return {attributes.device, attributes.device == index_ && in_foreign_context(address)};
}

}  // namespace escn::cuda
