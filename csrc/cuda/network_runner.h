// Runs a network on a stream, as a captured CUDA graph at the input sizes where that is faster.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "cuda/driver/stream.h"
#include "engine/network.h"

namespace escn::cuda {

// With graphs, the first runs that repeat the size and memory of the run before are timed, some without a
// graph and some replayed, and the faster way is kept. Times are read when the next run is queued, so that no
// thread waits for them. TensorRT needs a context per graph, so the choice is kept for several sizes, but the
// graph only for the last one.
class NetworkRunner {
  public:
    // `graphs`: whether to try graphs. The caller must wait for a run before it queues the next.
    NetworkRunner(std::shared_ptr<engine::Network> network, bool graphs);

    engine::Network& network() const { return *network_; }
    engine::Requirements prepare(const Size& size, Stream& stream);
    void queue(const engine::RunMemory& memory, Stream& stream);
    bool replays() const { return graph_ != nullptr; }

  private:
    struct Times {
        int runs = 0;
        double fastest = std::numeric_limits<double>::infinity();  // seconds
    };

    // The times of the runs at one size.
    struct Trial {
        Size size;
        Times plain, replayed;
    };

    Trial& trial_of(const Size& size);
    void read_time();

    std::shared_ptr<engine::Network> network_;
    bool graphs_;
    Size size_{};
    // A graph holds these addresses and TensorRT's state for a size; a change of either makes it invalid.
    std::optional<engine::RunMemory> memory_;
    std::unique_ptr<Graph> graph_;
    std::vector<Trial> trials_;  // one per size; the oldest is dropped first
    std::optional<TimedEvent> begin_, end_;
    Times* timed_ = nullptr;  // receives the time from begin_ to end_; null if none is pending
};

}  // namespace escn::cuda
