// The emulated GPUs: contexts, memory and streams, as far as this package uses them. The host can reach
// device memory only by copies.
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

// The properties of every GPU.
constexpr const char* kName = "Emulated GPU";
constexpr std::size_t kTotalBytes = 80'000'000'000;
constexpr int kMajor = 9;          // compute capability 9.0
constexpr double kSeconds = 1e-6;  // duration of a kernel or a copy

int gpu_count();  // the environment variable EMULATED_GPUS; 1 if it is not set

struct Context;
Context* primary_context(int gpu);
Context*& current_context();  // of the calling thread; nullptr if it has none yet
Context* required_context();  // the first GPU's if the thread has none

// The work that a stream captures instead of running it.
struct Capture {
    std::vector<Work> work;
    bool valid = true;
};

class Stream {
  public:
    explicit Stream(Context* context) : context_(context) { scheduler().add(queue_); }
    ~Stream() { scheduler().remove(queue_); }  // runs its work first

    // `seconds` is the duration. Returns cudaErrorStreamCaptureInvalidated if the stream captures and another
    // call has invalidated the capture.
    cudaError_t push(Work work, double seconds = kSeconds);
    // An event of this stream, and a wait for another stream's; neither can be captured here.
    cudaError_t record(const std::shared_ptr<Point>& point);
    cudaError_t wait(const std::shared_ptr<Point>& point);
    void finish();  // waits for all pushed work

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

// All memory, of the host and of every GPU.
class Memory {
  public:
    void* allocate(std::size_t bytes, Context* context, bool on_device);
    bool release(const void* begin);
    std::size_t free_bytes(int gpu);
    // The allocation that holds [address, address + bytes); nullptr if none does.
    const Allocation* find(const void* address, std::size_t bytes = 1);
    // Runs `work` while only the memory of `gpu` can be accessed.
    void access(int gpu, const Work& work);
    void protect();  // closes to the host what `access` leaves open for the next work

  private:
    void allow(int gpu, bool access);

    std::mutex mutex_;
    int open_ = -1;  // the GPU whose memory can be accessed; -1 if none
    std::map<const std::byte*, Allocation> allocations_;
};

Memory& memory();

struct Context {
    int gpu;
    Stream default_stream{this};
};

// The stream of a handle; the context's default stream for nullptr and CUDA's two constants for it.
Stream& stream_of(cudaStream_t stream);

cudaError_t set_error(cudaError_t error);  // cudaGetLastError returns it next, unless it is success
cudaError_t take_error();

// Invalidates a capture under way in this thread, for a call that is not allowed during a capture. Returns
// whether there was one.
bool forbidden_while_capturing();
void begin_capture(Stream& stream);
std::shared_ptr<Capture> end_capture();

}  // namespace emulated
