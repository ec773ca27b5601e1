// The CUDA driver's functions that this package and its tests call.
#include "driver.h"

#include <cuda.h>

#include <cstddef>
#include <cstdio>
#include <map>
#include <string>

#include "gpu.h"

namespace emulated {
namespace {

CUcontext handle(const Context* context) {
    return reinterpret_cast<CUcontext>(const_cast<Context*>(context));
}
Context* context_of(CUcontext handle) { return reinterpret_cast<Context*>(handle); }

}  // namespace
}  // namespace emulated

using emulated::context_of;
using emulated::handle;
using emulated::memory;

// Exported, because the tests call them through ctypes as they call libcuda's.
#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED CUresult cuInit(unsigned) { return CUDA_SUCCESS; }

EXPORTED CUresult cuDeviceGetCount(int* count) {
    *count = emulated::gpu_count();
    return CUDA_SUCCESS;
}

EXPORTED CUresult cuDeviceGet(CUdevice* gpu, int index) {
    *gpu = index;
    return index < emulated::gpu_count() ? CUDA_SUCCESS : CUDA_ERROR_INVALID_DEVICE;
}

EXPORTED CUresult cuDeviceGetName(char* name, int size, CUdevice) {
    std::snprintf(name, static_cast<std::size_t>(size), "%s", emulated::kName);
    return CUDA_SUCCESS;
}

EXPORTED CUresult cuDeviceTotalMem_v2(std::size_t* bytes, CUdevice) {
    *bytes = emulated::kTotalBytes;
    return CUDA_SUCCESS;
}

EXPORTED CUresult cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice) {
    if (attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR) {
        *value = emulated::kMajor;
    } else if (attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR) {
        *value = 0;
    } else {
        return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
}

EXPORTED CUresult cuCtxGetCurrent(CUcontext* context) {
    *context = handle(emulated::current_context());
    return CUDA_SUCCESS;
}

EXPORTED CUresult cuCtxSetCurrent(CUcontext context) {
    emulated::current_context() = context_of(context);
    return CUDA_SUCCESS;
}

EXPORTED CUresult cuPointerGetAttribute(void* value, CUpointer_attribute attribute, CUdeviceptr address) {
    const emulated::Allocation* found = memory().find(reinterpret_cast<const void*>(address));
    if (found == nullptr || attribute != CU_POINTER_ATTRIBUTE_CONTEXT) return CUDA_ERROR_INVALID_VALUE;
    *static_cast<CUcontext*>(value) = handle(found->context);
    return CUDA_SUCCESS;
}

EXPORTED CUresult cuCtxCreate_v2(CUcontext* context, unsigned, CUdevice gpu) {
    *context = handle(new emulated::Context{gpu});
    return cuCtxSetCurrent(*context);
}

EXPORTED CUresult cuCtxDestroy_v2(CUcontext context) {
    if (handle(emulated::current_context()) == context) emulated::current_context() = nullptr;
    delete context_of(context);
    return CUDA_SUCCESS;
}

EXPORTED CUresult cuMemAlloc_v2(CUdeviceptr* address, std::size_t bytes) {
    if (emulated::current_context() == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
    *address = reinterpret_cast<CUdeviceptr>(memory().allocate(bytes, emulated::current_context(), true));
    return *address == 0 ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}

EXPORTED CUresult cuMemFree_v2(CUdeviceptr address) {
    return memory().release(reinterpret_cast<const void*>(address)) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

EXPORTED CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, std::size_t bytes, CUstream stream) {
    if (emulated::current_context() == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
    return emulated::copy_on_device(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes,
                                    stream);
}

void* emulated::driver_function(const char* name) {
    static const std::map<std::string, void*> functions = {
        {"cuCtxGetCurrent", reinterpret_cast<void*>(&cuCtxGetCurrent)},
        {"cuCtxSetCurrent", reinterpret_cast<void*>(&cuCtxSetCurrent)},
        {"cuPointerGetAttribute", reinterpret_cast<void*>(&cuPointerGetAttribute)},
    };
    const auto found = functions.find(name);
    return found == functions.end() ? nullptr : found->second;
}
