// What the pipeline asks of a GPU: two queues of work, events between them, memory, copies and the kernels.
// CudaDevice is the GPU; SimulatedDevice runs the same lines on the host, in an order as unkind as the queues
// allow.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "cuda/arena.h"
#include "cuda/work.h"
#include "engine/network.h"

namespace escn::cuda {

// Work on a lane runs in order; lanes know of each other through marks only. Kernels and networks run on
// kCompute.
enum class Lane { kCompute, kCopy };

// A point in a lane; may be set again, and then means the later point. Never set, it counts as passed.
class Mark {
  public:
    virtual ~Mark() = default;
};

// Recorded work, to be queued again as one.
class Graph {
  public:
    virtual ~Graph() = default;
};

// While one exists, the device is current on this thread.
class DeviceGuard {
  public:
    virtual ~DeviceGuard() = default;
};

// Where an address lies.
struct MemoryPlace {
    int device;            // its number; -1: the host
    bool foreign_context;  // on this device, but in another context than its primary one: out of reach
};

class Device {
  public:
    virtual ~Device() = default;

    virtual std::unique_ptr<DeviceGuard> make_current() = 0;
    virtual MemoryPlace place_of(const void* address) = 0;
    virtual std::unique_ptr<ArenaMemory> arena_memory() = 0;
    // Host memory that the device copies from and to on its own.
    virtual std::unique_ptr<ArenaMemory> staging_memory() = 0;

    virtual std::unique_ptr<Mark> new_mark(bool timed = false) = 0;
    virtual void set(Mark& mark, Lane lane) = 0;
    virtual void wait(Lane lane, const Mark& mark) = 0;  // what is queued on the lane from here on waits
    virtual void wait_for_stream(
        engine::Handle stream) = 0;                  // kCompute waits for work that others queued there
    virtual void synchronize(const Mark& mark) = 0;  // the calling thread waits
    virtual double seconds(const Mark& from, const Mark& to) = 0;  // both timed and passed
    // Waits for everything, whatever failed before.
    virtual void drain() noexcept = 0;

    virtual void copy_to_device(void* to, const void* from, std::size_t bytes, Lane lane) = 0;
    virtual void copy_to_host(void* to, const void* from, std::size_t bytes, Lane lane) = 0;
    virtual void zero(void* data, std::size_t bytes) = 0;

    virtual void reduce_slices(const SliceReduction& work) = 0;
    virtual void add_slab(const SlabSum& work) = 0;
    virtual void finish_input(const InputFinish& work) = 0;
    virtual void find_mask_box(const uint8_t* mask, const Size& size, MaskBox* box) = 0;
    virtual void start_value_range(ValueRange* range) = 0;
    virtual void add_value_range(const ScanView& view, ValueRange* range) = 0;
    virtual void write_labels(const LabelSweep& work) = 0;
    // `queue` puts work on the stream that it is given, kCompute's.
    virtual void run(std::function<void(engine::Handle)> queue) = 0;
    // Records what `queue` would put on the stream, without doing it; nothing where it cannot be recorded.
    virtual std::shared_ptr<Graph> record(std::function<void(engine::Handle)> queue) = 0;
    virtual void launch(std::shared_ptr<Graph> graph) = 0;  // on kCompute
    virtual engine::Handle stream() const = 0;              // kCompute's
};

}  // namespace escn::cuda
