// Streams of the current GPU, events, and graphs: captured work that is launched again as one.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>
#include <memory>

#include "engine/network.h"

namespace escn::cuda {

// A point in a stream. Recording an event again moves it to the later point. An event that was never recorded
// counts as passed.
class Event {
  public:
    Event() : Event(cudaEventDisableTiming) {}
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    void synchronize() const;  // the calling thread waits
    cudaEvent_t get() const { return event_; }

  protected:
    explicit Event(unsigned flags);

  private:
    cudaEvent_t event_ = nullptr;
};

class TimedEvent : public Event {
  public:
    TimedEvent() : Event(cudaEventDefault) {}
};

// Measured by the GPU's clock. Both events must have passed.
double seconds_between(const TimedEvent& from, const TimedEvent& to);

class Graph {
  public:
    explicit Graph(cudaGraphExec_t exec) : exec_(exec) {}
    ~Graph();
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;
    cudaGraphExec_t get() const { return exec_; }

  private:
    cudaGraphExec_t exec_;
};

class Stream {
  public:
    Stream();
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    void record(Event& event);
    void wait(const Event& event);                // work queued from here on waits
    void wait_for_stream(engine::Handle stream);  // for the work already queued there
    void synchronize() const noexcept;            // the calling thread waits; ignores errors

    void copy_to_device(void* to, const void* from, std::size_t bytes);
    void copy_to_host(void* to, const void* from, std::size_t bytes);
    void zero(void* data, std::size_t bytes);

    // Captures the work that `queue` puts on this stream, without running it. Returns null if it cannot be
    // captured.
    std::unique_ptr<Graph> capture(const std::function<void()>& queue);
    void launch(const Graph& graph);

    cudaStream_t get() const { return stream_; }
    engine::Handle handle() const { return reinterpret_cast<engine::Handle>(stream_); }

  private:
    cudaStream_t stream_ = nullptr;
};

}  // namespace escn::cuda
