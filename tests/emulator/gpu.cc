#include "gpu.h"

#include <cstdlib>
#include <utility>

namespace emulated {
namespace {

thread_local cudaError_t last_error = cudaSuccess;
thread_local Stream* capturing = nullptr;

}  // namespace

int gpu_count() {
    static const char* const named = std::getenv("EMULATED_GPUS");
    return named == nullptr ? 1 : std::atoi(named);
}

// Never destroyed, because interpreters may end with work under way, as a real driver allows.
Context* primary_context(int gpu) {
    static std::mutex mutex;
    static auto* contexts = new std::map<int, std::unique_ptr<Context>>;
    const std::lock_guard<std::mutex> lock(mutex);
    std::unique_ptr<Context>& found = (*contexts)[gpu];
    if (!found) found.reset(new Context{gpu});
    return found.get();
}

Context*& current_context() {
    thread_local Context* current = nullptr;
    return current;
}

Context* required_context() {
    Context*& current = current_context();
    if (current == nullptr) current = primary_context(0);
    return current;
}

cudaError_t Stream::push(Work work, double seconds) {
    if (capture) {
        if (!capture->valid) return set_error(cudaErrorStreamCaptureInvalidated);
        capture->work.push_back(std::move(work));
        return cudaSuccess;
    }
    scheduler().push(queue_, {std::move(work), seconds, nullptr});
    return cudaSuccess;
}

cudaError_t Stream::record(const std::shared_ptr<Point>& point) {
    if (capture) return spoil();
    scheduler().record(queue_, point);
    return cudaSuccess;
}

cudaError_t Stream::wait(const std::shared_ptr<Point>& point) {
    if (capture) return spoil();
    scheduler().push(queue_, {[] {}, 0, point});
    return cudaSuccess;
}

cudaError_t Stream::spoil() {
    capture->valid = false;
    return set_error(cudaErrorStreamCaptureInvalidated);
}

void Stream::finish() {
    if (capture) return;  // a call that waits is not allowed during a capture
    const auto point = std::make_shared<Point>();
    record(point);
    scheduler().wait(point);
}

void* Memory::allocate(std::size_t bytes, Context* context, bool on_device) {
    if (on_device && bytes > free_bytes(context->gpu)) return nullptr;
    GuardedMemory block(bytes, 256);
    std::byte* const begin = block.data();
    if (begin == nullptr) return nullptr;
    if (on_device) block.allow(false);
    const std::lock_guard<std::mutex> lock(mutex_);
    allocations_.emplace(begin, Allocation{std::move(block), context, on_device});
    return begin;
}

bool Memory::release(const void* begin) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return allocations_.erase(static_cast<const std::byte*>(begin)) == 1;
}

std::size_t Memory::free_bytes(int gpu) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::size_t used = 0;
    for (const auto& [begin, allocation] : allocations_) {
        if (allocation.on_device && allocation.context->gpu == gpu) used += allocation.memory.bytes();
    }
    return kTotalBytes - used;
}

const Allocation* Memory::find(const void* address, std::size_t bytes) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto* wanted = static_cast<const std::byte*>(address);
    auto after = allocations_.upper_bound(wanted);
    if (after == allocations_.begin()) return nullptr;
    const Allocation& found = std::prev(after)->second;
    return wanted + bytes <= found.memory.data() + found.memory.bytes() ? &found : nullptr;
}

void Memory::access(int gpu, const Work& work) {
    if (open_ != gpu) {
        protect();
        allow(gpu, true);
    }
    work();
}

void Memory::protect() {
    if (open_ >= 0) allow(open_, false);
}

void Memory::allow(int gpu, bool access) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [begin, allocation] : allocations_) {
        if (allocation.on_device && allocation.context->gpu == gpu) allocation.memory.allow(access);
    }
    open_ = access ? gpu : -1;
}

Memory& memory() {
    static auto* memory = new Memory;
    return *memory;
}

Stream& stream_of(cudaStream_t stream) {
    if (stream == nullptr || stream == cudaStreamLegacy || stream == cudaStreamPerThread) {
        return required_context()->default_stream;
    }
    return *reinterpret_cast<Stream*>(stream);
}

cudaError_t set_error(cudaError_t error) {
    if (error != cudaSuccess) last_error = error;
    return error;
}

cudaError_t take_error() { return std::exchange(last_error, cudaSuccess); }

bool forbidden_while_capturing() {
    if (capturing == nullptr) return false;
    capturing->capture->valid = false;
    set_error(cudaErrorStreamCaptureUnsupported);
    return true;
}

void begin_capture(Stream& stream) {
    stream.capture = std::make_shared<Capture>();
    capturing = &stream;
}

std::shared_ptr<Capture> end_capture() {
    Stream& stream = *std::exchange(capturing, nullptr);
    return std::exchange(stream.capture, nullptr);
}

}  // namespace emulated
