// The emulated GPUs: contexts, memory and streams, as far as this package uses them.
//
// Every stream has a thread of its own, which dawdles at random, so that what is not ordered by events or
// synchronisation happens in any order. The host cannot touch device memory but by copies.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "guarded_memory.h"

namespace emulated {

// Of every GPU.
constexpr const char* kName = "Emulated GPU";
constexpr std::size_t kTotalBytes = 80'000'000'000;
constexpr int kMajor = 9;  // compute capability 9.0

int gpu_count();  // the environment variable EMULATED_GPUS, else 1

struct Context;
Context* primary_context(int gpu);
Context*& current_context();  // of the calling thread; nullptr: none yet
Context* required_context();  // of the first GPU where the thread has none

// A point in a stream, once it is recorded.
class Point {
  public:
    void pass();
    void wait();
    bool passed();
    double seconds();  // when it was passed

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool passed_ = false;
    double seconds_ = 0;
};

using Work = std::function<void()>;

// Work that a stream records instead of doing it.
struct Recording {
    std::vector<Work> work;
    bool valid = true;
};

class Stream {
  public:
    explicit Stream(Context* context);
    ~Stream();  // once its work is done

    // cudaErrorStreamCaptureInvalidated where it records and a call has spoilt that.
    cudaError_t push(Work work, bool may_be_recorded);
    void finish();  // waits for what was pushed

    Context* context() const { return context_; }
    std::shared_ptr<Recording> recording;

  private:
    void serve();

    Context* context_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Work> work_;
    bool ended_ = false;
    std::minstd_rand delay_;
    std::thread thread_;
};

struct Allocation {
    GuardedMemory memory;
    Context* context;
    bool on_device;
};

// Of every kind and GPU. One piece of device work runs at a time, in `access`.
class Memory {
  public:
    void* allocate(std::size_t bytes, Context* context, bool on_device);
    bool release(const void* begin);
    std::size_t free_bytes(int gpu);
    // Which allocation holds [address, address + bytes), if one does.
    const Allocation* find(const void* address, std::size_t bytes = 1);
    // Does `work` while the memory of `gpu`, and of no other, can be touched.
    void access(int gpu, const Work& work);

  private:
    std::mutex mutex_, working_;
    std::map<const std::byte*, Allocation> allocations_;
};

Memory& memory();

struct Context {
    int gpu;
    Stream default_stream{this};
};

// The stream that a call names; its context's own for nullptr and the two words for it.
Stream& stream_of(cudaStream_t stream);

cudaError_t set_error(cudaError_t error);  // what cudaGetLastError returns next, unless it is success
cudaError_t take_error();

// Spoils a recording of this thread, if one is under way, for a call that is not allowed then.
bool forbidden_while_recording();
void begin_recording(Stream& stream);
void end_recording();

}  // namespace emulated
