// The CUDA runtime's functions that this package calls. The toolkit's headers declare them, so that a
// function or a call of another form does not compile.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "blocks.h"
#include "driver.h"
#include "gpu.h"

namespace emulated {
namespace {

struct Event {
    bool timed;
    std::shared_ptr<Point> point;  // of the last record
};

struct Graph {
    std::vector<Work> work;
};

Event& event_of(cudaEvent_t event) { return *reinterpret_cast<Event*>(event); }

// Pushes work that accesses a GPU's memory.
cudaError_t push_access(Stream& stream, Work work) {
    const int gpu = stream.context()->gpu;
    return stream.push([gpu, work = std::move(work)] { memory().access(gpu, work); });
}

bool is_on_device(const void* address, std::size_t bytes) {
    const Allocation* found = memory().find(address, bytes);
    return found != nullptr && found->on_device;
}

bool is_pinned(const void* address, std::size_t bytes) {
    const Allocation* found = memory().find(address, bytes);
    return found != nullptr && !found->on_device;
}

// The call returns only after pageable memory has been read or written.
cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, Stream& stream) {
    if (bytes == 0) return cudaSuccess;
    const bool reads_host = kind == cudaMemcpyHostToDevice, writes_host = kind == cudaMemcpyDeviceToHost;
    if (is_on_device(from, bytes) == reads_host || is_on_device(to, bytes) == writes_host) {
        return set_error(cudaErrorInvalidValue);
    }
    if (reads_host && !is_pinned(from, bytes)) {
        const auto staged = std::make_shared<std::vector<std::byte>>(bytes);
        std::memcpy(staged->data(), from, bytes);
        return push_access(stream, [=] { std::memcpy(to, staged->data(), bytes); });
    }
    const cudaError_t pushed = push_access(stream, [=] { std::memcpy(to, from, bytes); });
    if (pushed == cudaSuccess && writes_host && !is_pinned(to, bytes)) stream.finish();
    return pushed;
}

}  // namespace

CUresult copy_on_device(void* to, const void* from, std::size_t bytes, cudaStream_t stream) {
    if (!is_on_device(to, bytes) || !is_on_device(from, bytes)) return CUDA_ERROR_INVALID_VALUE;
    const cudaError_t pushed = push_access(stream_of(stream), [=] { std::memcpy(to, from, bytes); });
    return pushed == cudaSuccess ? CUDA_SUCCESS : CUDA_ERROR_STREAM_CAPTURE_INVALIDATED;
}

void launch(dim3 blocks, dim3 threads, std::size_t dynamic_shared, cudaStream_t stream, Work kernel) {
    constexpr unsigned kMost = 65535;
    const bool fits = blocks.x > 0 && blocks.y > 0 && blocks.z > 0 && blocks.y <= kMost &&
                      blocks.z <= kMost && threads.x > 0 && threads.x <= 1024 && dynamic_shared <= 48 * 1024;
    if (!fits) {
        set_error(cudaErrorInvalidConfiguration);
        return;
    }
    Stream& on = stream_of(stream);
    if (on.context() != required_context()) {
        set_error(cudaErrorInvalidResourceHandle);
        return;
    }
    push_access(on, [=] { run_grid(blocks, threads, dynamic_shared, kernel); });
}

}  // namespace emulated

using namespace emulated;

extern "C" {

cudaError_t cudaGetLastError() { return take_error(); }

const char* cudaGetErrorString(cudaError_t error) {
    return error == cudaSuccess ? "no error" : "emulated error";
}

const char* cudaGetErrorName(cudaError_t error) {
    static thread_local char name[32];
    std::snprintf(name, sizeof name, "cudaError %d", static_cast<int>(error));
    return name;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
    *count = gpu_count();
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int gpu) {
    if (gpu < 0 || gpu >= gpu_count()) return set_error(cudaErrorInvalidDevice);
    *properties = {};
    std::strcpy(properties->name, kName);
    properties->major = kMajor;
    properties->totalGlobalMem = kTotalBytes;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int gpu) {
    if (gpu < 0 || gpu >= gpu_count()) return set_error(cudaErrorInvalidDevice);
    current_context() = primary_context(gpu);
    return cudaSuccess;
}

cudaError_t cudaGetDriverEntryPointByVersion(const char* name, void** function, unsigned, unsigned long long,
                                             cudaDriverEntryPointQueryResult*) {
    *function = driver_function(name);
    return cudaSuccess;
}

cudaError_t cudaMalloc(void** block, std::size_t bytes) {
    if (forbidden_while_capturing()) return cudaErrorStreamCaptureUnsupported;
    *block = memory().allocate(bytes, required_context(), true);
    return *block == nullptr ? set_error(cudaErrorMemoryAllocation) : cudaSuccess;
}

cudaError_t cudaHostAlloc(void** block, std::size_t bytes, unsigned) {
    *block = memory().allocate(bytes, required_context(), false);
    return *block == nullptr ? set_error(cudaErrorMemoryAllocation) : cudaSuccess;
}

// Work that still uses the block faults, as it may on a GPU.
cudaError_t cudaFree(void* block) {
    required_context();
    return block == nullptr || memory().release(block) ? cudaSuccess : set_error(cudaErrorInvalidValue);
}

cudaError_t cudaFreeHost(void* block) { return cudaFree(block); }

cudaError_t cudaMemGetInfo(std::size_t* available, std::size_t* total) {
    *available = memory().free_bytes(required_context()->gpu);
    *total = kTotalBytes;
    return cudaSuccess;
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* address) {
    *attributes = {};
    const Allocation* found = memory().find(address);
    attributes->type = cudaMemoryTypeUnregistered;
    attributes->device = -2;  // the runtime's value for memory that it does not know
    if (found == nullptr) return cudaSuccess;
    attributes->type = found->on_device ? cudaMemoryTypeDevice : cudaMemoryTypeHost;
    attributes->device = found->context->gpu;
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    return copy(to, from, bytes, kind, stream_of(stream));
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
    if (forbidden_while_capturing()) return cudaErrorStreamCaptureUnsupported;
    Stream& stream = stream_of(nullptr);
    const cudaError_t copied = copy(to, from, bytes, kind, stream);
    stream.finish();
    return copied;
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
    if (!is_on_device(to, bytes)) return set_error(cudaErrorInvalidValue);
    return push_access(stream_of(stream), [=] { std::memset(to, value, bytes); });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    *stream = reinterpret_cast<cudaStream_t>(new Stream(required_context()));
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    delete &stream_of(stream);
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    Stream& waited = stream_of(stream);
    if (forbidden_while_capturing()) return cudaErrorStreamCaptureUnsupported;
    waited.finish();
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
    *event = reinterpret_cast<cudaEvent_t>(new Event{(flags & cudaEventDisableTiming) == 0, nullptr});
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete &event_of(event);
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    const auto point = std::make_shared<Point>();
    event_of(event).point = point;
    return stream_of(stream).record(point);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    const auto point = event_of(event).point;
    if (point == nullptr) return cudaSuccess;
    return stream_of(stream).wait(point);
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    if (event_of(event).point != nullptr) scheduler().wait(event_of(event).point);
    return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin, cudaEvent_t end) {
    Event *from = &event_of(begin), *to = &event_of(end);
    if (!from->timed || !to->timed || from->point == nullptr || to->point == nullptr) {
        return set_error(cudaErrorInvalidResourceHandle);
    }
    if (!scheduler().passed(*from->point) || !scheduler().passed(*to->point)) {
        return set_error(cudaErrorNotReady);
    }
    *milliseconds = static_cast<float>(scheduler().seconds_between(*from->point, *to->point) * 1e3);
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
    begin_capture(stream_of(stream));
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
    const auto capture = end_capture();
    *graph = nullptr;
    if (!capture->valid) return set_error(cudaErrorStreamCaptureInvalidated);
    *graph = reinterpret_cast<cudaGraph_t>(new Graph{capture->work});
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
    *exec = reinterpret_cast<cudaGraphExec_t>(new Graph(*reinterpret_cast<Graph*>(graph)));
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete reinterpret_cast<Graph*>(graph);
    return cudaSuccess;
}

// The stream may still run the graph's work, because a launch copies it.
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
    delete reinterpret_cast<Graph*>(exec);
    return cudaSuccess;
}

// In a graph, work takes the share EMULATED_REPLAY of its usual time.
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
    const char* const share = std::getenv("EMULATED_REPLAY");
    const double seconds = kSeconds * (share == nullptr ? 1 : std::atof(share));
    for (const Work& work : reinterpret_cast<Graph*>(exec)->work) stream_of(stream).push(work, seconds);
    return cudaSuccess;
}

}  // extern "C"
