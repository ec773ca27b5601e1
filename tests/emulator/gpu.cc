#include "gpu.h"

#include <chrono>
#include <cstdlib>
#include <string>
#include <utility>

namespace emulated {
namespace {

thread_local cudaError_t last_error = cudaSuccess;
thread_local Stream* recorder = nullptr;

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

int gpu_count() {
    static const char* const named = std::getenv("EMULATED_GPUS");
    return named == nullptr ? 1 : std::atoi(named);
}

// Never destroyed: interpreters end with work still under way, as drivers let them.
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

void Point::pass() {
    const std::lock_guard<std::mutex> lock(mutex_);
    passed_ = true;
    seconds_ = now();
    changed_.notify_all();
}

void Point::wait() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return passed_; });
}

bool Point::passed() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return passed_;
}

double Point::seconds() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return seconds_;
}

Stream::Stream(Context* context)
    : context_(context), delay_(static_cast<unsigned>(reinterpret_cast<std::uintptr_t>(this) >> 4)) {
    thread_ = std::thread([this] { serve(); });
}

Stream::~Stream() {
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        ended_ = true;
        changed_.notify_all();
    }
    thread_.join();
}

cudaError_t Stream::push(Work work, bool may_be_recorded) {
    if (recording) {
        if (!may_be_recorded) recording->valid = false;
        if (!recording->valid) return set_error(cudaErrorStreamCaptureInvalidated);
        recording->work.push_back(std::move(work));
        return cudaSuccess;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    work_.push_back(std::move(work));
    changed_.notify_all();
    return cudaSuccess;
}

void Stream::finish() {
    if (recording) return;  // the call that asks is not allowed then, and says so
    const auto point = std::make_shared<Point>();
    push([point] { point->pass(); }, false);
    point->wait();
}

void Stream::serve() {
    for (;;) {
        Work next;
        {
            std::unique_lock<std::mutex> lock(mutex_);
            changed_.wait(lock, [&] { return ended_ || !work_.empty(); });
            if (work_.empty()) return;
            next = std::move(work_.front());
            work_.pop_front();
        }
        if (delay_() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(delay_() % 500));
        next();
    }
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
    const std::lock_guard<std::mutex> one_at_a_time(working_);
    const auto allow = [&](bool access) {
        const std::lock_guard<std::mutex> lock(mutex_);
        for (auto& [begin, allocation] : allocations_) {
            if (allocation.on_device && allocation.context->gpu == gpu) allocation.memory.allow(access);
        }
    };
    allow(true);
    work();
    allow(false);
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

bool forbidden_while_recording() {
    if (recorder == nullptr) return false;
    recorder->recording->valid = false;
    set_error(cudaErrorStreamCaptureUnsupported);
    return true;
}

void begin_recording(Stream& stream) {
    stream.recording = std::make_shared<Recording>();
    recorder = &stream;
}

void end_recording() {
    recorder->recording.reset();
    recorder = nullptr;
}

}  // namespace emulated
