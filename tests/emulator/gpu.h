// The emulated GPUs: contexts, memory and streams, as far as this package uses them. The host cannot touch
// device memory but by copies.
#pragma once

#include <cuda.h>
#include <cuda_runtime_api.h>

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "guarded_memory.h"
#include "scheduler.h"

namespace emulated {

// Of every GPU.
constexpr const char* kName = "Emulated GPU";
constexpr std::size_t kTotalBytes = 80'000'000'000;
constexpr int kMajor = 9;          // compute capability 9.0
constexpr double kSeconds = 1e-6;  // that a kernel or a copy takes

int gpu_count();  // the environment variable EMULATED_GPUS, else 1

struct Context;
Context* primary_context(int gpu);
Context*& current_context();  // of the calling thread; nullptr: none yet
Context* required_context();  // of the first GPU where the thread has none

// Work that a stream captures instead of doing it.
struct Capture {
    std::vector<Work> work;
    bool valid = true;
};

class Stream {
  public:
    explicit Stream(Context* context) : context_(context) { scheduler().add(queue_); }
    ~Stream() { scheduler().remove(queue_); }  // once its work is done

    // `seconds`: that it takes. cudaErrorStreamCaptureInvalidated where the stream captures and a call has
    // spoilt that.
    cudaError_t push(Work work, double seconds = kSeconds);
    // What cannot be captured: an event of this stream, and a wait for another's.
    cudaError_t record(const std::shared_ptr<Point>& point);
    cudaError_t wait(const std::shared_ptr<Point>& point);
    void finish();  // waits for what was pushed

    Context* context() const { return context_; }
    std::shared_ptr<Capture> capture;

  private:
    cudaError_t spoil();

    Context* context_;
    Queue queue_;
};

struct Allocation {
    GuardedMemory memory;
    Context* context;
    bool on_device;
};

// Of every kind and GPU.
class Memory {
  public:
    void* allocate(std::size_t bytes, Context* context, bool on_device);
    bool release(const void* begin);
    std::size_t free_bytes(int gpu);
    // Which allocation holds [address, address + bytes), if one does.
    const Allocation* find(const void* address, std::size_t bytes = 1);
    // Does `work` while the memory of `gpu`, and of no other, can be touched.
    void access(int gpu, const Work& work);
    void protect();  // keeps the host from what `access` has left open to the next work

  private:
    void allow(int gpu, bool access);

    std::mutex mutex_;
    int open_ = -1;  // the GPU whose memory can be touched
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

// Spoils a capture of this thread, if one is under way, for a call that is not allowed then.
bool forbidden_while_capturing();
void begin_capture(Stream& stream);
std::shared_ptr<Capture> end_capture();

}  // namespace emulated
